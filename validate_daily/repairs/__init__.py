"""Changes things: each change is planned from our own reading, approved, audited, verified by re-reading, undoable.

May import the checks, and nothing above the repairs.
"""
