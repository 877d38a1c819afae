"""Tries each permission that a check or a repair needs, and says what came back.

May import the other sources.
"""
