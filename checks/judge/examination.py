"""What `validate-daily doctor` found: every permission check of one visit, and the exit code."""

from typing import Annotated, Final

from pydantic import Field

from checks.evidence.base import Evidence
from checks.evidence.permission_checks import Caller, PermissionCheck, PermissionResult
from checks.evidence.snapshot import NotChecked, Target
from checks.judge.verdict import ExitCode

SCHEMA: Final = "validate-daily/doctor/1"


class SettingsFile(Evidence):
    """The settings file that was used. Where it was not ``named`` it merely lay in the open directory."""

    path: str
    named: bool


class Examination(Evidence):
    """All probes of one visit to the doctor.

    Attributes:
        pipeline: what it is called.
        not_checked: what nobody tried: switched off by choice, or nothing is there to try it on.
        clock_skew_seconds: how far this machine's clock is ahead of Firestore's, below zero behind; None if not told.
    """

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    pipeline: str
    settings: SettingsFile
    identity: Caller
    targets: tuple[Target, ...]
    probes: tuple[PermissionCheck, ...]
    not_checked: tuple[NotChecked, ...] = ()
    clock_skew_seconds: float | None = None

    @property
    def exit_code(self) -> ExitCode:
        """0 if all is well, 1 if something failed, 3 if something could not be told and nothing worse is known."""
        results = {probe.result for probe in self.probes}
        if results - {PermissionResult.OK, PermissionResult.UNKNOWN}:
            return ExitCode.P0_OR_P1
        return ExitCode.UNKNOWN if PermissionResult.UNKNOWN in results or not results else ExitCode.HEALTHY
