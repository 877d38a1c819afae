"""Expected quiet and accepted findings."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from checks.settings.section import Name, Section


def _moment(value: object) -> object:
    """A TOML date is midnight UTC; a local time without a zone stays as it is, and is refused."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


ReasonText = Annotated[str, StringConstraints(min_length=3, max_length=500)]


class Quiet(Section):
    """One entry of ``[[quiet]]``: processors that are expected to be silent for a while (off-season, maintenance).

    Their missing and stale heartbeats are listed as quiet; growth and malformed ids are never hidden. The window
    includes ``from`` and ends before ``until``; both are times with a zone, or dates in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_alias=True)

    processors: Annotated[tuple[Name, ...], Field(min_length=1)]
    since: Annotated[Moment, Field(alias="from")]
    until: Moment
    reason: ReasonText

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.since < self.until:
            raise ValueError(f"from ({self.since:%Y-%m-%d}) must come before until ({self.until:%Y-%m-%d})")
        return self

    def holds_at(self, moment: datetime) -> bool:
        """Whether a moment lies within the window."""
        return self.since <= moment < self.until


class Accepted(Section):
    """One entry of ``[[accepted]]``: a finding that somebody knows of and lives with, until a day.

    It stays printed and leaves the exit code. It returns when it expires or worsens: beyond ``severity``, or beyond
    ``count`` where that is given. P0 and what could not be seen cannot be accepted.
    """

    rule: Name
    subject: Annotated[str, StringConstraints(min_length=1)]
    reason: ReasonText
    by: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    until: Moment
    severity: Literal["P1", "P2"] = "P2"
    count: Annotated[int, Field(ge=0)] | None = None
