"""The answers of the tools, one file per answer: the type of an answer is its tool's output schema.

May import the cursor, handoffs, repairs and checks; never a tool, and never the server's state.
"""
