"""Reads tags, uploads and the files inside images from OCI registries.

May import what all sources share.
"""
