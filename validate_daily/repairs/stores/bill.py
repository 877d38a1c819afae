"""What a repair is billed for, as it goes."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bill:
    """Documents read, written and deleted so far, as production bills them."""

    reads: int = 0
    writes: int = 0
    deletes: int = 0

    def read(self, count: int) -> None:
        """So many were read."""
        self.reads += count

    def wrote(self, count: int) -> None:
        """So many were written."""
        self.writes += count

    def moved(self, count: int) -> None:
        """So many were written in one place and deleted in the other."""
        self.writes += count
        self.deletes += count
