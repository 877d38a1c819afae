"""Reads what trouble a line tells of: heartbeats that are not written, imports that fail, containers that do not start.

Structure speaks first: the library's own fields, the severity, an exception's type at the beginning of a line. Only
then is a program's own text read (``words``).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from checks.evidence.logs import Trouble
from checks.sources.logging.lines import ERROR, SYSTEM, WARNING, LogLine
from checks.sources.logging.messages.heads import Head, head_of, plain
from checks.sources.logging.messages.words import (
    are_about_ours,
    is_of_another_system,
    own_words,
    tell_of_failure,
    tell_of_success,
)
from checks.text.redact import excerpt, redact

STARTUP: Final = (
    *("STARTUP TCP probe failed", "STARTUP HTTP probe failed", "STARTUP GRPC probe failed"),
    *("executable file not found", "No module named 'gunicorn'", "exec format error"),
    *("Application failed to start", "failed to start and listen on the port", "Memory limit of"),
)
MISSING: Final = ("executable file not found", "No module named", "exec format error", "Memory limit of")
"""What says more than that a container did not start: what it lacks."""
IMPORT: Final = ("ImportError", "ModuleNotFoundError", "not written: package-missing")
DENIED: Final = ("403 Missing or insufficient permissions", "not written: no-permission")
ABOUT: Final = ("heartbeat", "firestore")
FAILED: Final = (
    *("PERMISSION_DENIED", "not written", "fail", "error", "exception", "could not", "cannot", "unable", "timed out"),
    *("unavailable", "exceeded", "denied"),
)
AGAIN: Final = "are written again"
"""How the library says that trouble is over."""

_DEFAULT: Final = 0
_GRAVE: Final = frozenset(
    {"ERROR", "ERR", "CRITICAL", "CRIT", "FATAL", "SEVERE", "ALERT", "EMERGENCY", "EMERG", "E", "F"}
)
_HARMLESS: Final = frozenset(
    {"TRACE", "DEBUG", "DBG", "INFO", "INF", "INFORMATION", "INFORMATIONAL", "NOTICE", "SUCCESS"}
)
_LOOKED_AT: Final = 16_384
_SHORTEST: Final = 3
"""Characters of a name that a line can be searched for."""

_OPERATION: Final = re.compile(
    r"HEARTBEAT START: \S|HEARTBEAT: .{1,500} still running|"
    r"HEARTBEAT END(?: \(ERROR\))?: .{1,500} (?:completed in|failed after) \d"
)
_LIBRARY: Final = re.compile(r"heartbeats? of (?P<name>\S{1,300}) (?:is|are) NOT written: (?P<reason>[\w-]{1,40})")
_WRITTEN_AGAIN: Final = re.compile(r"heartbeats? of (?P<name>\S{1,300}) (?:is|are) written again")
_OF: Final = re.compile(
    r"heartbeats?(?: [a-z]{1,20}){0,3} (?:of|for)(?: processor)? [\"'`]?(?P<name>[A-Za-z][\w.]{2,200})", re.IGNORECASE
)
_IMPORTS: Final = re.compile(r"(?:[\w.]{1,80}\.)?(?:ImportError|ModuleNotFoundError)(?::|\(|$)")
_ERROR_NAME: Final = re.compile(r"\b(?:ImportError|ModuleNotFoundError)\b")
_TRACE: Final = re.compile(r"Traceback \(most recent call last\)|^\s*File \"", re.MULTILINE)
_OWN_IMPORT: Final = re.compile(r"heart_?beat|shared[./]monitoring", re.IGNORECASE)
_MONITORING: Final = re.compile(r"monitor|firestore", re.IGNORECASE)
_OPTIONAL: Final = re.compile(
    r"\boptional\b|\bnot installed\b|\bfall(?:s|ing)?[- ]?back\b|\binstead\b|\busing \w|\bskipp\w*|\bignor\w*"
    r"|\bdisabl\w*|\bwithout it\b|\bis not required\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a line tells.

    Attributes:
        trouble: what it is about; None where it says that the trouble is over.
        processor: whose heartbeat, where the line names it.
        named: it names a registered processor, or the collection.
    """

    trouble: Trouble | None
    processor: str | None = None
    named: bool = False


def reader(registered: Iterable[str], collection: str) -> Callable[[LogLine], Told | None]:
    """What reads a line.

    Args:
        registered: the processors that the settings name, and their former names.
        collection: where heartbeats are written.
    """
    names = sorted((each for each in registered if len(each) >= _SHORTEST), key=len, reverse=True)
    known = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?![\w.]*\w)") if names else None
    own = collection.casefold()

    def read(line: LogLine) -> Told | None:
        trouble = trouble_of(line, own)
        if trouble is None and not _is_over(line):
            return None
        found = known.search(line.text) if known else None
        processor = line.facts.processor or (found and found[0]) or _processor(line.text)
        named = bool(found) or own in line.text.casefold() or processor in names
        return Told(trouble, excerpt(processor) if processor else None, named)

    return read


def trouble_of(line: LogLine, collection: str = "processor_heartbeats") -> Trouble | None:
    """What a line is about, if it is about trouble."""
    if not (line.severity == _DEFAULT or line.severity >= WARNING) or line.facts.state == "working":
        return None
    text = plain(line.text[:_LOOKED_AT])
    head = head_of(text)
    said = text[head.end :]
    if _OPERATION.match(said) or _OPERATION.match(text):
        return None
    if library := _LIBRARY.match(said):
        return _of_reason(library["reason"])
    if line.severity == _DEFAULT and head.level in _HARMLESS and line.facts.state is None:
        return None
    if "no module named 'gunicorn'" in said.casefold():
        return Trouble.STARTUP
    by_platform = line.log.endswith(SYSTEM) and line.severity >= ERROR
    started = Trouble.STARTUP if by_platform or _holds(text.casefold(), STARTUP) else None
    return _import(line, head, said) or _write_error(line, text, head, collection) or started


def sample(text: str) -> str:
    """The line of a traceback that says what went wrong; it is redacted before it is taken apart."""
    lines = [each.strip() for each in redact(text).splitlines() if each.strip()]
    causes = (each for each in reversed(lines) if _holds(each.casefold(), (*STARTUP, *DENIED, *IMPORT, *FAILED)))
    return excerpt(next(causes, lines[0] if lines else ""))


def names_what_is_missing(text: str) -> bool:
    """Whether a line says what a container lacks."""
    return _holds(text.casefold(), MISSING)


def _of_reason(reason: str) -> Trouble:
    known = {"no-permission": Trouble.PERMISSION_DENIED, "package-missing": Trouble.IMPORT_ERROR}
    return known.get(reason, Trouble.WRITE_ERROR)


def _import(line: LogLine, head: Head, said: str) -> Trouble | None:
    """An import that failed, told by the exception's type at the beginning of a line.

    Beside a warning it must be the import of the heartbeat: optional packages are missing everywhere.
    """
    if "ImportError" not in said and "ModuleNotFoundError" not in said:
        return None
    lines = [each.strip() for each in said.splitlines()]
    failed = next((each for each in reversed(lines) if _IMPORTS.match(each)), None)
    if failed is None or (failed != lines[0] and not _TRACE.search(said)):
        told = _OWN_IMPORT.search(said) and _ERROR_NAME.search(own_words(said))
        return Trouble.IMPORT_ERROR if told and not is_of_another_system(said) else None
    if _OWN_IMPORT.search(said) or (_MONITORING.search(said) and not _OPTIONAL.search(failed)):
        return Trouble.IMPORT_ERROR
    warned = line.severity == WARNING or (line.severity == _DEFAULT and head.level and head.level not in _GRAVE)
    return None if warned or _OPTIONAL.search(failed) else Trouble.IMPORT_ERROR


def _write_error(line: LogLine, text: str, head: Head, collection: str) -> Trouble | None:
    said = text[head.end :]
    if line.facts.state == "failing":
        return Trouble.WRITE_ERROR
    if not _holds(said.casefold(), _ABOUT_OR_DENIED):
        return None
    return _of_words(said, f"{line.logger or ''} {head.words}", collection)


@lru_cache(maxsize=1_000)
def _of_words(said: str, written_by: str, collection: str) -> Trouble | None:
    own = own_words(said)
    lower = own.casefold()
    if _DENIED_TEXT in lower:
        return Trouble.PERMISSION_DENIED
    if not tell_of_failure(own) or not are_about_ours(own, written_by, collection):
        return None
    return Trouble.PERMISSION_DENIED if "permission_denied" in lower else Trouble.WRITE_ERROR


def _is_over(line: LogLine) -> bool:
    """Whether a line says that a heartbeat is written again, or was written."""
    if line.facts.state == "working":
        return True
    if "heartbeat" not in line.text.casefold():
        return False
    text = plain(line.text[:_LOOKED_AT])
    said = text[head_of(text).end :]
    return bool(_WRITTEN_AGAIN.match(said)) or tell_of_success(own_words(said))


def _processor(text: str) -> str | None:
    found = _LIBRARY.search(text) or _WRITTEN_AGAIN.search(text) or _OF.search(text)
    return found["name"].rstrip(".:,;") if found else None


def _holds(text: str, needles: Iterable[str]) -> bool:
    return any(needle.casefold() in text for needle in needles)


_DENIED_TEXT: Final = DENIED[0].casefold()
_ABOUT_OR_DENIED: Final = (*ABOUT, _DENIED_TEXT)
