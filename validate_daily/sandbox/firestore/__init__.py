"""The practice Firestore, as far as a heartbeat collection needs it.

May import the clock, calls, faults and errors of the sandbox.
"""
