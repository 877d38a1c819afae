"""The command line of the checks: arguments, exit codes, the console.

May import every other room of the checks.
"""
