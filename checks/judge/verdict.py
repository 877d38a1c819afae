"""Verdicts of a check, and the exit codes of every command."""

from enum import IntEnum, StrEnum
from typing import Final


class Verdict(StrEnum):
    """What the check says as a whole."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    UNKNOWN = "unknown"
    HEALTHY = "healthy"


class ExitCode(IntEnum):
    """What every check command exits with."""

    HEALTHY = 0
    P0_OR_P1 = 1
    P2 = 2
    UNKNOWN = 3
    USAGE = 64
    INTERNAL = 70
    INTERRUPTED = 130


EXIT_CODES: Final = {
    Verdict.P0: ExitCode.P0_OR_P1,
    Verdict.P1: ExitCode.P0_OR_P1,
    Verdict.P2: ExitCode.P2,
    Verdict.UNKNOWN: ExitCode.UNKNOWN,
    Verdict.HEALTHY: ExitCode.HEALTHY,
}
