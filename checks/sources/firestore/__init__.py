"""Reads heartbeat documents, by listing them or by walking over their ids.

May import what all sources share.
"""
