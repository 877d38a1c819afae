"""What the logs are asked: for runs, for trouble, and for long operations. Each is a filter.

Severity DEFAULT is searched together with WARNING and above: that is what Cloud Run gives to all plain text that a
program prints, tracebacks included. Searches name their logs: without that, Cloud Logging reads request and audit logs
too, which takes minutes where there are many.
"""

from collections.abc import Iterable
from typing import Final

from checks.sources.logging.filter import AllOf, AnyOf, Compare, FilterPart, Not, anywhere
from checks.sources.logging.lines import SAID, SYSTEM
from checks.sources.logging.messages.troubles import ABOUT, AGAIN, DENIED, FAILED, IMPORT, STARTUP

TEXTS: Final = ("textPayload", *(f"jsonPayload.{key}" for key in SAID))
"""The fields that hold what a program said."""

CLOUD_RUN: Final = AnyOf(
    (Compare("resource.type", "=", "cloud_run_revision"), Compare("resource.type", "=", "cloud_run_job"))
)
_GRAVE: Final = AnyOf((Compare("severity", ">=", "WARNING"), Compare("severity", "=", "DEFAULT")))

LOGS: Final = ("run.googleapis.com/stdout", "run.googleapis.com/stderr", "run.googleapis.com/varlog/system", "python")
"""The logs of what Cloud Run's programs print, of what the platform says of them, and of Google's own Python client."""

_NOT_SAID: Final = ("run.googleapis.com/requests", "cloudaudit.googleapis.com/activity")
"""Logs that hold no words of a program, and much else."""


def runs_question(marker: str) -> FilterPart:
    """Lines in which a processor tells of a finished run."""
    return AllOf((CLOUD_RUN, anywhere(marker, *TEXTS)))


def trouble_question() -> FilterPart:
    """Lines about heartbeats that are not written, or again, imports that fail, and containers that do not start.

    Of the platform's own lines all errors are asked for: they say why a revision failed in words that nobody lists.
    """
    certain = tuple(anywhere(text, *TEXTS) for text in (*STARTUP, *IMPORT, *DENIED))
    about = AnyOf(tuple(anywhere(text, *TEXTS) for text in ABOUT))
    failed = AnyOf(tuple(anywhere(text, *TEXTS) for text in FAILED))
    system = AllOf((Compare("logName", ":", SYSTEM), Compare("severity", ">=", "ERROR")))
    trouble = AllOf((_GRAVE, AnyOf((*certain, AllOf((about, failed)), system))))
    return AllOf((CLOUD_RUN, AnyOf((trouble, anywhere(AGAIN, *TEXTS)))))


def operations_question() -> FilterPart:
    """Lines of the HeartbeatLogger."""
    phrases = ("HEARTBEAT START: ", "still running", "HEARTBEAT END: ", "HEARTBEAT END (ERROR): ")
    return AllOf((CLOUD_RUN, anywhere("HEARTBEAT", *TEXTS), AnyOf(tuple(anywhere(text, *TEXTS) for text in phrases))))


def within_logs(part: FilterPart, projects: Iterable[str], logs: Iterable[str]) -> FilterPart:
    """The same, in these logs of these projects alone.

    Args:
        part: what is asked.
        projects: their resource names.
        logs: names of logs, such as ``run.googleapis.com/stdout``.
    """
    return AllOf((_in_logs(projects, logs), part))


def in_other_logs(part: FilterPart, projects: Iterable[str], logs: Iterable[str]) -> FilterPart:
    """The same, in all other logs that may hold a program's words."""
    return AllOf((Not(_in_logs(projects, (*logs, *_NOT_SAID))), part))


def _in_logs(projects: Iterable[str], logs: Iterable[str]) -> AnyOf:
    known = dict.fromkeys(log.replace("/", "%2F") for log in logs)
    return AnyOf(tuple(Compare("logName", "=", f"{project}/logs/{log}") for project in projects for log in known))
