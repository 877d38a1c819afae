"""The server over HTTP: where it listens, who may call, and how Google's tokens are verified.

May import the rest of the server except the tools.
"""
