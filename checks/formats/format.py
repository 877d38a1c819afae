"""One way to write a report, and how a command finds the one that was asked for."""

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, ParamSpec

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Format(Generic[P]):
    """One way to write a report.

    Attributes:
        name: what ``--format`` takes.
        about: what it is for, as the help says it.
        media_type: of the text that it writes.
        writer: ``module:function``; loads on first use, because some need packages that are slow to load.
    """

    name: str
    about: str
    media_type: str
    writer: str

    def write(self, *arguments: P.args, **options: P.kwargs) -> str:
        """The report as text, ended by a newline."""
        writer: Callable[P, str] = pkgutil.resolve_name(self.writer)
        return writer(*arguments, **options)


def format_named(name: str, formats: Sequence[Format[P]]) -> Format[P]:
    """The format of this name; argparse has refused every other name."""
    return next(each for each in formats if each.name == name)
