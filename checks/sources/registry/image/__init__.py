"""Reads files out of an image where a registry keeps it, layer by layer, without unpacking it anywhere."""
