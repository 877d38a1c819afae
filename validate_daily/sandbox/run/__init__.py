"""The practice Cloud Run: services whose revisions pin digests, jobs that resolve their image at each execution.

May import the clock, calls, faults, images and errors of the sandbox.
"""
