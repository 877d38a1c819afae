"""Repairs: each change is planned from our own reading, approved, audited, verified by a second reading, and undoable.

May import checks; nothing in checks may import it.
"""
