"""What is known of the image that a repair puts into service: its files, its start, its commit, and its uploads.

May import the session, plans and checks; never a repair.
"""
