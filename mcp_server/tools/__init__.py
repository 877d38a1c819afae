"""The tools themselves: name, arguments and docstring of each function are what a model reads.

May import every other room of the server.
"""
