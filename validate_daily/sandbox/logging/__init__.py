"""The practice Cloud Logging: entries, filters and pages, as far as reading and writing logs needs it.

May import the clock, calls, faults and errors of the sandbox.
"""
