"""The table of claims in a handoff: written so that people read it, and machines measure it again."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from checks.evidence.snapshot import Level
from checks.text.markdown import escape_markdown
from validate_daily.handoff.claim import Check, Claim

COLUMNS: Final = ("claim", "check", "subject", "expected", "observed", "level", "measured (UTC)", "holds until (UTC)")
"""The table's first row."""

_TIME: Final = "%Y-%m-%d %H:%M:%S"
_OBSERVED: Final = 100


def row(claim: Claim) -> str:
    """One claim as a row of Markdown."""
    cells = (claim.statement, claim.check or "", claim.subject or "", claim.expected or "")
    times = (_at(claim.measured_at), _at(claim.expires_at))
    observed = escape_markdown(claim.observed or "", _OBSERVED)
    return f"| {' | '.join([*map(escape_markdown, cells), observed, claim.level or '', *times])} |"


def header() -> Iterable[str]:
    """The two lines above the rows."""
    return f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"


def claim_of(cells: Sequence[str], line: int) -> Claim | None:
    """The claim in a row, as a reader gets it; None where it is none of this table.

    A row that begins as one, and cannot be read, is a claim that nothing measures: it is not passed over.
    """
    if len(cells) != len(COLUMNS) or tuple(cells) == COLUMNS:
        return None
    statement, check, subject, expected, observed, level, measured, until = cells
    try:
        return Claim(
            statement=statement,
            line=line,
            check=Check(check),
            subject=subject,
            expected=expected,
            observed=observed or None,
            level=Level(level) if level else None,
            measured_at=_read(measured),
            expires_at=_read(until),
        )
    except (ValueError, ValidationError):
        return Claim(statement=statement, line=line)


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):{_TIME}}" if moment else ""


def _read(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
