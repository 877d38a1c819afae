"""How a tool changes something: who the caller is, how a person is asked, and which answers count as consent.

May import the server's state and the repairs; never a tool or an answer.
"""
