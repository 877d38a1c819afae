"""The tools over HTTP: bounds, who may call, whose token it is.

May import the rest of the server but the tools.
"""
