"""One subcommand, one file: wiring only.

May import everything.
"""
