"""Reads which processors told of a finished run: the marker counts only at the beginning of a message."""

import re
from collections.abc import Iterable
from typing import Final

from checks.evidence.logs import Run
from checks.sources.logging.lines import LogLine
from checks.sources.logging.messages.heads import first_line, head_before, plain
from checks.sources.times import moment

_NAME: Final = re.compile(r"[^\s,;\"']{1,300}(?![^\s,;\"'])")
"""The first word after the marker; what is longer is no name."""

_ACCESS: Final = re.compile(r"(?:^|[._-])(?:access|werkzeug|requests?)$", re.IGNORECASE)
"""Loggers of requests: what they write is a client's."""


def fold_runs(lines: Iterable[LogLine], marker: str) -> tuple[Run, ...]:
    """The newest run of every processor that a line names, by name."""
    newest: dict[str, LogLine] = {}
    for line in lines:
        name = run_of(line, marker)
        if name and (name not in newest or newest[name].at < line.at):
            newest[name] = line
    return tuple(Run(processor=name, at=moment(line.at), source=line.source) for name, line in sorted(newest.items()))


def run_of(line: LogLine, marker: str) -> str | None:
    """The processor whose finished run a line tells of; None where it tells of none."""
    if marker not in line.text or not line.begins or (line.logger and _ACCESS.search(line.logger)):
        return None
    text = plain(first_line(line.text))
    place = text.find(marker)
    if place < 0 or head_before(text, place) is None:
        return None
    name = _NAME.match(text[place + len(marker) :].lstrip())
    return name[0] if name else None
