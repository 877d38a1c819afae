"""Repairs of heartbeat documents: cleanup and restore.

May import plans and stores.
"""
