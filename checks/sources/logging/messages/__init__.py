"""What a program says in a log line: where its message begins, and whether it tells of an operation or of trouble.

May import what its parent may.
"""
