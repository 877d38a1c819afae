"""Expected quiet and accepted findings."""

import difflib
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from checks.settings.rule_names import FORMER_NAMES, RULE_NAMES
from checks.settings.section import Name, Section


def _moment(value: object) -> object:
    """A TOML date is midnight UTC; a local time without a zone stays as it is, and is refused."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


ReasonText = Annotated[str, StringConstraints(min_length=3, max_length=500)]


def _known_rule(value: str) -> str:
    """A former name stands for the rule; a name that no rule ever had is a slip."""
    name = FORMER_NAMES.get(value, value)
    if name not in RULE_NAMES:
        close = difflib.get_close_matches(value, RULE_NAMES, n=1)
        guess = f" (did you mean {close[0]}?)" if close else ""
        raise ValueError(f"there is no such rule{guess}; `rule` of a finding in the JSON report names it")
    return name


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
    ``count`` where that is given. With ``fingerprint`` it is that fault and no other; without, whatever fault of the
    rule and subject is open, while it is the only one. P0 and what could not be seen cannot be accepted.
    """

    rule: Annotated[Name, AfterValidator(_known_rule)]
    subject: Annotated[str, StringConstraints(min_length=1)]
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] | None = None
    reason: ReasonText
    by: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    until: Moment
    severity: Literal["P1", "P2"] = "P2"
    count: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _can_grow(self) -> Self:
        if self.count is not None and not RULE_NAMES[self.rule]:
            raise ValueError(f"a finding of {self.rule} is about one thing and cannot grow: leave count out")
        return self
