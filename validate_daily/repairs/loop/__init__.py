"""The closed loop over all repairs, and the watch for regrowth.

May import every other room of the repairs.
"""
