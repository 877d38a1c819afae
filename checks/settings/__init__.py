"""The settings of a pipeline: types, reading the file, its template.

May import text.
"""
