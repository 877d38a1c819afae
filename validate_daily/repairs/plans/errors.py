"""The ways in which a repair does not happen. Each says why, what to do next, and how a command exits."""

from typing import ClassVar

from checks.judge.verdict import ExitCode
from checks.settings.errors import UsageError
from checks.sources.errors import SourceError


class RepairError(UsageError):
    """A repair cannot be planned or applied as asked; ``next_step`` says what to do."""

    exit_code: ClassVar[int] = ExitCode.USAGE

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(f"{reason}; next: {next_step}")
        self.reason = reason
        self.next_step = next_step


class TokenError(RepairError):
    """A sealed plan that cannot be believed, or not for this."""


class RefusedError(RepairError):
    """What was seen forbids the repair: nothing was changed."""

    exit_code: ClassVar[int] = 1


class NothingToDoError(RepairError):
    """All was seen, and there is nothing to repair."""

    exit_code: ClassVar[int] = 0


class UnseenError(RepairError):
    """What a repair rests on could not be read completely: nothing was changed."""

    exit_code: ClassVar[int] = ExitCode.UNKNOWN

    @classmethod
    def of(cls, what: str, error: SourceError) -> "UnseenError":
        """The same failure, as one of a repair."""
        return cls(f"{what}: {error}", error.next_step)
