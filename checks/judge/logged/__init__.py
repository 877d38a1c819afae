"""What follows from logs for several rules: operations that hang, trouble that is over or is somebody else's.

May import what lies in judge beside this room.
"""
