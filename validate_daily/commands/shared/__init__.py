"""What several subcommands share: the question to a person, and how plans, results and the agent's work are printed.

May import everything except a subcommand.
"""
