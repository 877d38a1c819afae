"""Finds in source code, before anything is built, what silences heartbeats or stops a container from starting.

May import the standard library alone; ``checks`` uses it to look at images.
"""
