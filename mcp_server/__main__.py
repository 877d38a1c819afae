"""``python -I -m mcp_server``: the server without anything around it."""

import sys

# `python -m` looks into the open directory first; from here on it does not, unless that is where we are.
if __name__ == "__main__" and not sys.flags.safe_path and __file__ != f"{sys.path[0]}/mcp_server/__main__.py":
    sys.path.remove(sys.path[0])

from checks.cli.console import Parser, guarded
from mcp_server import command


def main() -> int:
    """Parse the arguments of the process, and serve."""
    parser = Parser(prog="python -I -m mcp_server", description=command.SUMMARY)
    command.add_arguments(parser)
    arguments = parser.parse_args()
    return guarded(lambda: command.run(arguments), debug=arguments.debug)


if __name__ == "__main__":
    sys.exit(main())
