"""``python -I -m checks``: the check without anything around it."""

import sys

from checks.cli import check as command
from checks.cli.console import Parser, guarded


def main() -> int:
    """Parse the arguments of the process, check, and return the exit code."""
    parser = Parser(prog="python -I -m checks", description=command.SUMMARY)
    command.add_arguments(parser)
    arguments = parser.parse_args()
    return guarded(lambda: command.run(arguments), debug=arguments.debug)


if __name__ == "__main__":
    sys.exit(main())
