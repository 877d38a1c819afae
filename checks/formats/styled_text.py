"""Lines with colours, as the terminal at standard output shows them."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text


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
