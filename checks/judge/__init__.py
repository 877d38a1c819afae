"""Turns evidence into findings, verdicts and reports: pure functions, without clock and without I/O.

May import evidence, settings and text; never a source.
"""
