"""Reads Dockerfiles and commands: what an image will hold, install and start.

May import the tree and python.
"""
