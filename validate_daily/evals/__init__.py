"""Cases with a known answer on the practice cloud, and how well a model, or the rules alone, find it.

May import the sandbox, the server, the skills and everything below them.
"""
