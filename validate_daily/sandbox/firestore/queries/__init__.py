"""Queries over the practice documents: filters, orders, indexes.

May import fields and paths.
"""
