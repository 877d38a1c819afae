"""Handoff documents: their claims are found, measured against one look at everything, and written.

May import the repairs' audit and the checks.
"""
