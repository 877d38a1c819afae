"""What Cloud Run answers to a change that it was only asked to validate: what it would not keep, and what it fills in.

The answer is an operation. It may come without a service or job in it, or before it is done, with defaults in fields
that nobody set, and with output-only fields changed outside the update mask. Only a field inside the mask that was set,
and that is neither as it was sent nor as it was before, says that the change would do more than it should.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from checks.sources.cloud_run.client import Message
from checks.text.show import show
from validate_daily.repairs.stores.desired_state import FieldDifference, field_differences

JOB_PARTS: Final = ("template", "labels", "annotations", "binary_authorization")
"""What is compared of a job, whose update has no mask: the other fields say who sent it, and in which launch stage."""

_GENERATED: Final = frozenset({"template.revision"})
"""Names that Cloud Run makes up for what is new."""
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class RehearsalAnswer:
    """What an answer says inside the mask.

    Attributes:
        beyond: set fields that would change or vanish although nobody asked for it.
        filled: fields that nobody set, and that Cloud Run fills in.
    """

    beyond: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()

    @property
    def told(self) -> str | None:
        """What is filled in, in a sentence; None where nothing is."""
        if not self.filled:
            return None
        more = len(self.filled) - _SHOWN
        named = ", ".join(self.filled[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return f"Cloud Run fills in what was not set: {show(named, limit=600)}"


def read_rehearsal(before: Message, wanted: Message, answer: Message | None, parts: Collection[str]) -> RehearsalAnswer:
    """Compare an answer with what was sent.

    Args:
        before: the service or job as it was read.
        wanted: what was sent.
        answer: what Cloud Run says that it would be; None where it says nothing, which refuses nothing.
        parts: the update mask.
    """
    if answer is None:
        return RehearsalAnswer()
    found = [each for each in field_differences(wanted, answer, parts) if each.path not in _GENERATED]
    changed = [each.path for each in field_differences(before, answer, parts)]
    return RehearsalAnswer(
        tuple(each.path for each in found if not _is_unset(each) and _touches(each.path, changed)),
        tuple(each.path for each in found if _is_unset(each)),
    )


def _is_unset(each: FieldDifference) -> bool:
    return each.before in (None, "", [], {})


def _touches(path: str, others: Iterable[str]) -> bool:
    """Whether one of the others is this field, above it, or below it."""
    return any(path == each or _is_below(path, each) or _is_below(each, path) for each in others)


def _is_below(path: str, above: str) -> bool:
    return path.startswith((f"{above}.", f"{above}["))
