"""What the logs are asked: for runs, for trouble, and for long operations. Each is a filter and a folding of lines.

Severity DEFAULT is searched together with WARNING and above: that is what Cloud Run gives to all plain text that a
program prints, tracebacks included.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from checks.evidence.logs import LogBurst, Run, Trouble
from checks.sources.logging.filter import AllOf, AnyOf, Compare, FilterPart, anywhere
from checks.sources.logging.lines import WARNING, LogLine
from checks.sources.times import moment
from checks.text.redact import excerpt, redact

TEXTS: Final = ("textPayload", "jsonPayload.message")
"""The fields that hold what a program said."""

_DEFAULT: Final = 0

CLOUD_RUN: Final = AnyOf(
    (Compare("resource.type", "=", "cloud_run_revision"), Compare("resource.type", "=", "cloud_run_job"))
)
_GRAVE: Final = AnyOf((Compare("severity", ">=", "WARNING"), Compare("severity", "=", "DEFAULT")))

_STARTUP: Final = (
    "Default STARTUP TCP probe failed",
    "executable file not found",
    "No module named 'gunicorn'",
    "failed to start and listen on the port",
)
_MISSING: Final = ("executable file not found", "No module named")
"""What says more than that a container did not start: what it lacks."""
_IMPORT: Final = ("ImportError", "ModuleNotFoundError", "not written: package-missing")
_DENIED: Final = ("403 Missing or insufficient permissions", "not written: no-permission")
_ABOUT: Final = ("heartbeat", "firestore")
_FAILED: Final = (
    *("PERMISSION_DENIED", "not written", "fail", "error", "exception", "could not", "cannot", "unable", "timed out"),
    *("unavailable", "exceeded", "denied"),
)
_OPERATION: Final = re.compile(r"HEARTBEAT(?: START| END(?: \(ERROR\))?)?: ")

_NAME: Final = re.compile(r"[^\s,;\"']{1,300}(?![^\s,;\"'])")
"""The first word after the marker; what is longer is no name."""


def runs_question(marker: str) -> FilterPart:
    """Lines in which a processor tells of a finished run."""
    return AllOf((CLOUD_RUN, anywhere(marker, *TEXTS)))


def trouble_question() -> FilterPart:
    """Lines about heartbeats that are not written, imports that fail, and containers that do not start."""
    certain = tuple(anywhere(text, *TEXTS) for text in (*_STARTUP, *_IMPORT, *_DENIED))
    about = AnyOf(tuple(anywhere(text, *TEXTS) for text in _ABOUT))
    failed = AnyOf(tuple(anywhere(text, *TEXTS) for text in _FAILED))
    return AllOf((CLOUD_RUN, _GRAVE, AnyOf((*certain, AllOf((about, failed))))))


def operations_question() -> FilterPart:
    """Lines of the HeartbeatLogger."""
    phrases = ("HEARTBEAT START: ", "still running", "HEARTBEAT END: ", "HEARTBEAT END (ERROR): ")
    return AllOf((CLOUD_RUN, anywhere("HEARTBEAT", *TEXTS), AnyOf(tuple(anywhere(text, *TEXTS) for text in phrases))))


def fold_runs(marker: str) -> Callable[[Iterable[LogLine]], tuple[Run, ...]]:
    """The newest run of every processor that a line names, by name."""

    def fold(lines: Iterable[LogLine]) -> tuple[Run, ...]:
        newest: dict[str, LogLine] = {}
        for line in lines:
            _, found, rest = line.text.partition(marker)
            name = _NAME.match(rest.lstrip()) if found else None
            if name and (name[0] not in newest or newest[name[0]].at < line.at):
                newest[name[0]] = line
        return tuple(
            Run(processor=name, at=moment(line.at), source=line.source) for name, line in sorted(newest.items())
        )

    return fold


def fold_bursts(lines: Iterable[LogLine]) -> tuple[LogBurst, ...]:
    """Lines of the same trouble, service and revision, together; the newest burst first."""
    bursts: dict[tuple[Trouble, str, str | None], list[LogLine]] = {}
    for line in lines:
        trouble = trouble_of(line)
        if trouble:
            bursts.setdefault((trouble, line.source, line.revision), []).append(line)
    found = (_burst(trouble, own) for (trouble, _, _), own in bursts.items())
    return tuple(sorted(found, key=lambda burst: (-burst.last.timestamp(), burst.source, burst.trouble)))


def trouble_of(line: LogLine) -> Trouble | None:
    """What a line is about, if it is about trouble."""
    text = line.text.casefold()
    if not (line.severity == _DEFAULT or line.severity >= WARNING) or _OPERATION.search(line.text):
        return None
    about = _holds(text, _ABOUT)
    if _holds(text, _STARTUP):
        return Trouble.STARTUP
    if _holds(text, _DENIED) or (about and _holds(text, ("permission_denied",))):
        return Trouble.PERMISSION_DENIED
    if _holds(text, _IMPORT):
        return Trouble.IMPORT_ERROR
    return Trouble.WRITE_ERROR if about and _holds(text, _FAILED) else None


def _burst(trouble: Trouble, lines: list[LogLine]) -> LogBurst:
    newest = max(lines, key=lambda line: line.at)
    missing = [line for line in lines if _holds(line.text.casefold(), _MISSING)]
    sample = max(missing, key=lambda line: line.at) if missing else newest
    return LogBurst(
        trouble=trouble,
        source=newest.source,
        revision=newest.revision,
        lines=len(lines),
        first=moment(min(line.at for line in lines)),
        last=moment(newest.at),
        sample=_sample(sample.text),
    )


def _sample(text: str) -> str:
    """The line of a traceback that says what went wrong; it is redacted before it is taken apart."""
    lines = [each.strip() for each in redact(text).splitlines() if each.strip()]
    causes = (each for each in reversed(lines) if _holds(each.casefold(), (*_STARTUP, *_DENIED, *_IMPORT, *_FAILED)))
    return excerpt(next(causes, lines[0] if lines else ""))


def _holds(text: str, needles: Iterable[str]) -> bool:
    return any(needle.casefold() in text for needle in needles)
