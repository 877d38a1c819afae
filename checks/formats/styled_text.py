"""Lines with colours, as the terminal at standard output shows them, and the colour of each verdict."""

from collections.abc import Iterable, Mapping
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLE: Final[Mapping[str, str]] = {
    "P0": "bold white on red",
    "P1": "bold red",
    "unknown": "bold magenta",
    "P2": "bold yellow",
    "healthy": "bold green",
}


def styled(lines: Iterable[Text | Table]) -> str:
    """The lines as text: with colours at a terminal, plain in a pipe.

    Only tables are fitted to the terminal. Lines are never broken here, so an id or a digest can be copied whole; a
    terminal wraps them itself.
    """
    console = Console()
    with console.capture() as shown:
        for line in lines:
            console.print(line, soft_wrap=isinstance(line, Text), highlight=False)
    return shown.get()
