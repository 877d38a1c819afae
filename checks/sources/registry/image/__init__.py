"""Reads files out of an image where a registry keeps it, layer by layer, without unpacking it anywhere.

May import what all sources share, and the source-code checker.
"""
