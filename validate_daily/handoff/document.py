"""Reads a handoff: the table of claims that this project writes, and the sentences of any other document.

Markdown is taken apart by a library. A document is a stranger's: it is bounded, and nothing in it is followed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from checks.evidence.base import Evidence
from checks.settings.errors import UsageError
from checks.settings.pipeline import Pipeline
from validate_daily.handoff.claim import Claim
from validate_daily.handoff.names import Names
from validate_daily.handoff.statements import claims_in, counts_in
from validate_daily.handoff.table import COLUMNS, claim_of

if TYPE_CHECKING:
    from markdown_it.token import Token

MOST_BYTES: Final = 1 << 20
VALID: Final = timedelta(hours=1)
"""How long a statement holds whose document says when it was made, and no more."""

_PLANS: Final = re.compile(
    r"\b(?:next|priorit\w+|to ?do|left to do|optional|if you|if a|scenario\w*|commands?|how|quick|success|plan|strategy"
    r"|steps?|recommend\w*|prevention|lessons?|learnings?|questions?|hypothes\w+|likely|procedures?|emergency|goals"
    r"|implementation|locations?|statistics|expected|outcomes?|references?|why|start|problem|pattern|mechanics|files"
    r"|contact|related|status for)\b",
    re.IGNORECASE,
)
"""Headings below which a document says what is to be done, not what is."""

_STATED: Final = re.compile(
    r"^\W*(?:last verified|verified|measured|date|created|started|resolved)\W+(\d{4}-\d{2}-\d{2})"
    r"(?:[ T~]+(\d{2}:\d{2})(?::\d{2})? ?(?:utc|z))?",
    re.IGNORECASE | re.ASCII,
)
_SENTENCES: Final = re.compile(r"(?<=[.!?;])\s+(?=[A-Z*])")
_UNDONE: Final = ("[ ]", "\u2b1c")


class HandoffDocument(Evidence):
    """What a document claims, before anything is measured.

    Attributes:
        claims: in the document's order, each asked once.
        measured: it has a table of measured claims.
    """

    claims: tuple[Claim, ...]
    measured: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of text: its number, the headings above it, and whether it is of code, or names a table's columns.

    ``cells`` are those of a row of a table.
    """

    number: int
    text: str
    headings: tuple[str, ...]
    code: bool = False
    columns: bool = False
    cells: tuple[str, ...] = ()


def read_document(raw: bytes, pipeline: Pipeline, origin: str) -> HandoffDocument:
    """Find the claims of a document.

    Args:
        raw: the document, UTF-8, Markdown or plain.
        pipeline: the settings, whose names a document may use.
        origin: what errors call it.

    Raises:
        UsageError: it is too large, or no text.
    """
    lines = _read(raw, origin)
    table = _table(lines)
    until = _until(line.text for line in lines)
    free = (claim.model_copy(update={"expires_at": until}) for claim in _free(lines, pipeline, Names.of(pipeline)))
    claims = _once(list(free) if table is None else table)
    return HandoffDocument(claims=tuple(claims), measured=table is not None)


def measured_claims(raw: bytes, origin: str) -> list[Claim]:
    """The claims in the table of a document; errors as for ``read_document``."""
    return _table(_read(raw, origin)) or []


def sentences_of(raw: bytes, origin: str) -> Iterator[tuple[int, str]]:
    """Every sentence outside the table and outside code, and its line; errors as for ``read_document``."""
    for line in _read(raw, origin):
        if not line.code and claim_of(line.cells, line.number) is None:
            yield from ((line.number, sentence) for sentence in _SENTENCES.split(line.text))


def _read(raw: bytes, origin: str) -> list[_Line]:
    if len(raw) > MOST_BYTES:
        raise UsageError(f"{origin}: larger than {MOST_BYTES:,} bytes: no handoff; name the part that claims something")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{origin}: not UTF-8 text (byte {error.start:,}): save it as UTF-8") from None
    from markdown_it import MarkdownIt  # noqa: PLC0415 - loads only where a document is read

    return list(_lines(MarkdownIt("commonmark").enable("table").parse(text.replace("\0", "\ufffd"))))


def _table(lines: Sequence[_Line]) -> list[Claim] | None:
    """The claims of the table that this project writes; None where there is none. One without rows claims nothing."""
    if not any(line.columns and line.cells == COLUMNS for line in lines):
        return None
    return [claim for line in lines if (claim := claim_of(line.cells, line.number))]


def _free(lines: Sequence[_Line], pipeline: Pipeline, names: Names) -> Iterator[Claim]:
    for line in lines:
        if line.columns or any(map(_PLANS.search, line.headings)) or line.text.lstrip().startswith(_UNDONE):
            continue
        if line.code:
            yield from counts_in(line.text, line.number, pipeline)
        elif not _STATED.match(line.text):
            for sentence in _SENTENCES.split(line.text):
                yield from claims_in(sentence, line.number, pipeline, names)


def _once(claims: Sequence[Claim]) -> Iterator[Claim]:
    """Each question once; what nothing measures is one claim for each statement."""
    seen: set[object] = set()
    for claim in claims:
        key = claim.asks if claim.subject else claim.statement
        if key not in seen:
            seen.add(key)
            yield claim


def _until(lines: Iterator[str]) -> datetime | None:
    """An hour after the newest time that the document says it was made; a date alone means until its end."""
    moments: list[datetime] = []
    for line in lines:
        for part in line.split("  "):
            if found := _STATED.match(part):
                try:
                    at = time.fromisoformat(found[2]) if found[2] else time.max
                    moments.append(datetime.combine(datetime.fromisoformat(found[1]), at, UTC))
                except ValueError:
                    continue
    return max(moments) + VALID if moments else None


def _lines(tokens: "Sequence[Token]") -> Iterator[_Line]:
    """The text of a document line by line, without its markup; the cells of a row of a table stand between bars."""
    headings: list[tuple[int, str]] = []
    row: list[str] | None = None
    level, place, columns = 0, 0, False
    for token in tokens:
        number = (token.map or [0])[0] + 1
        if token.type == "heading_open":
            level = int(token.tag[1:])
        elif token.type in {"thead_open", "thead_close"}:
            columns = token.type == "thead_open"
        elif token.type == "tr_open":
            row, place = [], number
        elif token.type == "tr_close" and row is not None:
            above = tuple(text for _, text in headings)
            yield _Line(place, f"{' | '.join(row)} |", above, columns=columns, cells=tuple(row))
            row = None
        elif token.type in {"fence", "code_block"}:
            above = tuple(text for _, text in headings)
            texts = token.content.splitlines()
            yield from (_Line(number + at, text, above, code=True) for at, text in enumerate(texts, 1))
        elif token.type == "inline" and row is not None:
            row.append(" ".join(_texts(token)))
        elif token.type == "inline" and level:
            headings = [*(each for each in headings if each[0] < level), (level, token.content)]
            level = 0
        elif token.type == "inline":
            above = tuple(text for _, text in headings)
            yield from (_Line(number + at, text, above) for at, text in enumerate(_texts(token)))


def _texts(token: "Token") -> list[str]:
    """The words of a paragraph. A line that begins with a label, a mark or a list sign is a line of its own."""
    lines, breaks = [""], False
    for child in token.children or ():
        if child.type in {"softbreak", "hardbreak"}:
            breaks = True
            continue
        if breaks and child.content == "" and child.type == "text":
            continue
        text = child.content if child.type in {"text", "code_inline"} else ""
        if breaks and (child.type == "strong_open" or (text and not text[0].isalnum())):
            lines.append(text)
        elif breaks:
            lines[-1] += f" {text}"
        else:
            lines[-1] += text
        breaks = False
    return lines
