"""Strangers' text made safe to show, and times and commits made readable.

Imports no other room.
"""
