"""How a report is told: to a person at a terminal, or to a program."""
