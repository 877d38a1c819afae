"""What several subcommands share: the question to a person, and how plans and results are printed.

May import everything but a subcommand.
"""
