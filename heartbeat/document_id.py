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
from itertools import pairwise
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


_UUID: Final = r"[0-9a-fA-F]{8}(?:[-_]?[0-9a-fA-F]{4}){3}[-_]?[0-9a-fA-F]{12}"
_UNIX_TIME: Final = r"1\d{9}(?:\d{3}|\d{6}|\d{9}|\.\d{1,6})?"
_DAY_AND_TIME: Final = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[T_-]?\d{4,6}Z?)?"
_NOTHING: Final = r"(?i:null|undefined|nan|nat|none|nil|unknown|)"
_ULID: Final = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
_RUN: Final = r"[A-Za-z0-9][A-Za-z0-9-]*"
_UNMARKED: Final = re.compile(
    rf"[_.:-](?:(?P<sure>{_UUID}|{_ULID}|(?:{_UNIX_TIME}|{_DAY_AND_TIME})(?:[_.:-]{_RUN})?"
    rf"|{_NOTHING}[_.:-](?=[A-Za-z-]*\d){_RUN})|(?P<hex>[0-9a-f]{{8,64}})|(?P<made_up>[A-Za-z0-9]{{20}}))\Z",
    re.ASCII,
)
_BARE: Final = re.compile(rf"{_UUID}|{_ULID}|{_UNIX_TIME}|{_DAY_AND_TIME}", re.ASCII)
_MADE_UP: Final = re.compile(r"[A-Za-z0-9]{20}", re.ASCII)
_CHANGES: Final = 9
"""So often the sort of letter changes in most ids that Firestore makes up, and in no name of 20 letters."""


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


def unmarked_writer(text: str) -> str | None:
    """The processor's name that an id holds before a run's own name; "" where an id is nothing but a run's name.

    Such ids bear no mark: ``{processor}_{uuid}``, ``{processor}_{unix time}[_{run id}]``,
    ``{processor}_null_{run id}``, and the ids that Firestore makes up itself. One of them proves nothing, for a
    processor may be called so; several of the same processor do. None for all other ids.
    """
    if _is_run_name(text):
        return ""
    tail = _UNMARKED.search(text)
    if tail is None or not (tail["sure"] or _is_hex_run(tail["hex"] or "") or _is_made_up(tail["made_up"] or "")):
        return None
    stem = text[: tail.start()]
    return stem if parse(stem).kind is Kind.CANONICAL else None


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


def _is_run_name(text: str) -> bool:
    return _BARE.fullmatch(text) is not None or _is_hex_run(text) or _is_made_up(text)


def _is_hex_run(text: str) -> bool:
    """Hexadecimal digits, figures and letters among them: a word such as ``facade00`` has to be long to be one."""
    return 8 <= len(text) <= 64 and text.isalnum() and not text.isalpha() and not text.isdigit() and _is_hex(text)  # noqa: PLR2004


def _is_hex(text: str) -> bool:
    return all(letter in "0123456789abcdef" for letter in text)


def _is_made_up(text: str) -> bool:
    """Whether Firestore may have made up an id: 20 letters and figures in no order."""
    if not _MADE_UP.fullmatch(text):
        return False
    sorts = [letter.isdigit() * 2 + letter.isupper() for letter in text]
    return any(map(str.isdigit, text[:-1])) or sum(a != b for a, b in pairwise(sorts)) >= _CHANGES
