"""The MCP server: typed tools that let an assistant run the checks and, where writes are on, propose repairs.

May import skills, handoffs, repairs and checks; nothing below may import it.
"""
