"""The colour of each verdict, wherever people see one."""

from collections.abc import Mapping
from typing import Final

STYLE: Final[Mapping[str, str]] = {
    "P0": "bold white on red",
    "P1": "bold red",
    "unknown": "bold magenta",
    "P2": "bold yellow",
    "healthy": "bold green",
}
