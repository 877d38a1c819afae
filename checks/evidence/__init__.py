"""What was seen, where, when and how completely: frozen types without an opinion.

May import settings and text.
"""
