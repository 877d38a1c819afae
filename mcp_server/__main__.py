"""``python -m mcp_server``: the server without anything around it."""

import sys

from checks.console import Parser, guarded
from mcp_server import command


def main() -> int:
    """Parse the arguments of the process, and serve."""
    parser = Parser(prog="python -m mcp_server", description=command.SUMMARY)
    command.add_arguments(parser)
    arguments = parser.parse_args()
    return guarded(lambda: command.run(arguments), debug=arguments.debug)


if __name__ == "__main__":
    sys.exit(main())
