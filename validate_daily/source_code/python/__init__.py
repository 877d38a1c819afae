"""Reads Python files: imports, packages, and what happens when an import fails.

May import the tree.
"""
