"""The closed loop over all repairs, and the watch for malformed documents that grow back.

May import every other room of the repairs.
"""
