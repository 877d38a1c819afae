"""Searches Cloud Logging.

May import what all sources share.
"""
