from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heartbeat.fields import heartbeat_fields

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)


class Hostile:
    """A value that answers no question."""

    def __str__(self) -> str:
        raise RuntimeError("no")


class HostileNumber(Hostile):
    def __index__(self) -> int:
        raise RuntimeError("no")


class OtherNumber:
    """A number of a library that Firestore does not know."""

    def __float__(self) -> float:
        return 0.25


PROGRESS: Mapping[str, tuple[object, object]] = {
    "nothing": (None, None),
    "a share": (0.5, 0.5),
    "a truth": (True, True),
    "the largest integer": (2**63 - 1, 2**63 - 1),
    "an integer too large": (2**63, str(2**63)),
    "an integer too large to print": (10**5_000, "<unprintable int>"),
    "a foreign number": (OtherNumber(), 0.25),
    "a text of two lines": ("half\nway", r"half\nway"),
    "a lone surrogate": ("\ud800", r"\ud800"),
    "a text too long": ("x" * 501, "x" * 480 + "... [501 characters]"),
    "a mapping": ({"games": 12, "done": False, "a.b": None}, {"games": 12, "done": False, "a.b": None}),
    "field names that Firestore refuses": ({"": 1, "__id__": 2}, {"()": 1, "(__id__)": 2}),
    "a key that is no text": ({7: 1}, {"7": 1}),
    "a nested value": ({"teams": ["LAL", 2]}, {"teams": "['LAL', 2]"}),
    "too many entries": ({str(n): n for n in range(32)}, {str(n): n for n in range(30)} | {"not_kept": 2}),
    "a value that cannot be told": (Hostile(), "<unprintable Hostile>"),
    "a number that cannot be read": (HostileNumber(), "unreadable: RuntimeError"),
}


def fields(**strange: Any) -> dict[str, object]:
    arguments: dict[str, Any] = {"processor_name": "MockProcessor", "at": NOON, "status": "running", **strange}
    return heartbeat_fields(**arguments)


@pytest.mark.parametrize(("progress", "written"), PROGRESS.values(), ids=PROGRESS)
def test_any_progress_is_written_and_kept_where_firestore_can_keep_it(progress: object, written: object) -> None:
    assert fields(progress=progress)["progress"] == written


@pytest.mark.parametrize("name", ["run_id", "commit", "revision"])
def test_an_empty_text_is_nothing(name: str) -> None:
    assert fields(**{name: ""})[name] is None


@settings(deadline=None)
@given(st.text(st.characters(categories=None)), st.integers(1, 1_000))
def test_no_heartbeat_comes_near_the_size_limit(text: str, times: int) -> None:
    long = text * times
    progress = {f"{n}{long}": long for n in range(99)}

    written = fields(status=long, run_id=long, commit=long, revision=long, progress=progress)

    assert len(str(written).encode()) < 100_000
