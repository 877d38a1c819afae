"""The command ``validate-daily``: wiring and subcommands only."""
