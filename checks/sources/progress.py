"""How a long read tells how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Told that of ``total`` things, None while that is unknown, ``done`` are read."""

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Take note of it; cheap, and never failing."""


def quiet(what: str, done: int, total: int | None) -> None:
    """Tell nobody."""
    del what, done, total
