"""The subcommands of ``validate-daily``, one file each: arguments, wiring, exit code.

May import everything except another subcommand; what several need stands in ``shared``.
"""
