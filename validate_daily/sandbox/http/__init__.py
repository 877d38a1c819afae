"""HTTP/1.1 on loopback, for those of Google's services that also, or only, speak it.

May import the calls and faults of the sandbox.
"""
