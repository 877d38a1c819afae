"""The warning above everything that an emulator or a sandbox answered."""

from collections.abc import Iterable
from typing import Final

from checks.evidence.snapshot import Target

PRACTICE: Final = "PRACTICE"


def practice_line(asked: str = "") -> str:
    """The warning, with what is known of who was asked."""
    return f"{PRACTICE}: {asked}{': ' if asked else ''}this says nothing about production"


def practice_of(targets: Iterable[Target]) -> str:
    """The warning, with the addresses that were asked instead of Google's."""
    return practice_line(f"asked {practice_addresses(targets)}, not Google")


def practice_addresses(targets: Iterable[Target]) -> str:
    """The addresses of emulators and sandboxes among these."""
    return ", ".join(target.address for target in targets if target.practice)
