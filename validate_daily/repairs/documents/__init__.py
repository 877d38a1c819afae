"""Repairs of heartbeat documents: cleanup and restore.

May import stores, plans and checks; never the repairs of Cloud Run.
"""
