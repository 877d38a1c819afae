"""One grammar for heartbeat document ids: the writer obeys it and the validator judges by it.

A heartbeat belongs in *one* document per processor, so its id is the processor's name and nothing else:

    PlayerGameSummaryProcessor          canonical
    p2_nba_raw.nbac_team_boxscore       canonical, a phase 2 table
    NbacScheduleProcessor_None_097ffc9c run-scoped: {processor}_{None | date | yyyymm...}_{run id}
    report 2026-01-31                   neither: holds a mark of the incident, or is no processor's name

A settings file may *register* a name; a registered name is canonical however it looks. The functions here know no
settings, so callers look into their registry first.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

MAX_ID_BYTES: Final = 1_500
"""Firestore's own limit on the UTF-8 length of a document id."""

_NAME: Final = re.compile(r"[^\W_](?:[\w.-]*\w)?(?<!_None)")  # else a run-scoped id would not tell where the name ends
_RESERVED: Final = re.compile(r"\.|\.\.|__.*__", re.DOTALL)
_MARK: Final = r"_None_|_20[2-9]"
_PREFIX: Final = re.compile(_MARK)
_MARKER: Final = re.compile(_MARK + r"|_(?=(?:19|20)\d{2}-\d{2}-\d{2}_)", re.ASCII)
"""A year before 2020 is a mark only as part of a whole date: ``season_2015_totals`` is a table's name."""

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SCOPE_AND_RUN: Final = re.compile(
    r"_(?P<scope>None|(?:19|20)\d{2}-\d{2}-\d{2}|20[2-9]\d(?:0[1-9]|1[0-2])\d{0,8})"
    r"_(?P<run_id>[A-Za-z0-9][A-Za-z0-9_-]*)",
    re.ASCII,
)


class Kind(StrEnum):
    """What an id is, by its shape alone."""

    CANONICAL = "canonical"
    RUN_SCOPED = "run-scoped"
    NEITHER = "neither"


class DocumentId(NamedTuple):
    """An id and how it reads.

    Attributes:
        text: the id, character for character.
        kind: canonical, run-scoped or neither.
        family: the processor that the id belongs to: the text before the leftmost ``_None_``, year from 2020 on, or
            whole date, else the whole id. Ids of the same processor share it, whatever their kind.
        run_id: the run that a run-scoped id names, else None.
    """

    text: str
    kind: Kind
    family: str
    run_id: str | None = None


def has_malformed_mark(text: str) -> bool:
    """Whether an id holds a mark of a run: ``_None_``, a year from ``_202`` on, or a date ``YYYY-MM-DD``."""
    return _MARKER.search(text) is not None or _DATE.search(text) is not None


def parse(text: str) -> DocumentId:
    """Read one id. Never fails: what fits nothing is ``Kind.NEITHER``."""
    marker = _MARKER.search(text)
    if marker is None:
        fits = _is_name(text) and not _DATE.search(text)
        return DocumentId(text, Kind.CANONICAL if fits else Kind.NEITHER, family=text)
    family = text[: marker.start()]
    scope = _SCOPE_AND_RUN.fullmatch(text, marker.start())
    if scope is None or not _is_name(family):
        return DocumentId(text, Kind.NEITHER, family=family or text)
    return DocumentId(text, Kind.RUN_SCOPED, family, scope["run_id"])


def shared_prefix(text: str) -> str | None:
    """An id up to and including its leftmost ``_None_``, ``_202``, ``_203`` …; None where it holds none, or begins so.

    Every id that begins with this prefix is of the same family as this one, and none of them is canonical unless it is
    registered: so they can be counted without being read.
    """
    marker = _PREFIX.search(text)
    return text[: marker.end()] if marker is not None and not _MARKER.match(text) else None


def canonical_id(processor_name: str, *, registered: bool = False) -> str:
    """The id under which a processor writes its one heartbeat document: its name.

    Args:
        processor_name: for instance ``PlayerGameSummaryProcessor`` or ``p2_nba_raw.nbac_team_boxscore``.
        registered: the pipeline's settings list this very name, so it is right although it looks run-scoped.

    Raises:
        ValueError: the name is not canonical, or Firestore would refuse it.
    """
    if not processor_name or "/" in processor_name or _RESERVED.fullmatch(processor_name):
        raise ValueError(f"{processor_name!r} cannot be a Firestore document id: give the processor's plain name")
    if len(processor_name.encode()) > MAX_ID_BYTES:
        raise ValueError(f"a processor name of {len(processor_name.encode())} bytes is too long: {MAX_ID_BYTES} fit")
    if registered or (kind := parse(processor_name).kind) is Kind.CANONICAL:
        return processor_name
    raise ValueError(
        f"{processor_name!r} is {'run-scoped' if kind is Kind.RUN_SCOPED else 'not a canonical processor name'}: "
        "a heartbeat has one document per processor, so give the name without date or run id"
    )


def table_id(table: str) -> str:
    """The canonical id of a phase 2 processor: ``p2_`` and its table, as in ``p2_nba_raw.nbac_schedule``.

    Raises:
        ValueError: the result is not canonical.
    """
    return canonical_id(f"p2_{table}")


@lru_cache(maxsize=4_096)
def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and len(text.encode(errors="replace")) <= MAX_ID_BYTES
