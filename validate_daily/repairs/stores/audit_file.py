"""The audit in a local file: JSON lines that are only added to, each with the hash of the one before it.

The chain shows a line that was changed, taken out or put in. It cannot show that a file was cut at its end, but what a
cleanup moves carries the chain's head of its time.
"""

import asyncio
import fcntl
import hashlib
import json
import os
import stat
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import Final

from platformdirs import user_state_path
from pydantic import ValidationError

from checks.settings.file import Settings
from validate_daily.repairs.plans.audit_event import FIRST, AuditError, Event, ends, json_line
from validate_daily.repairs.plans.plan import PlanId

MAX_LINE: Final = 4 << 20
_NEXT: Final = "set [audit] path to a file of your own that only you can read, or free the disk it is on"


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line of a file as it was read: its number, its event, its own hash."""

    number: int
    event: Event
    head: str


@dataclass(frozen=True, slots=True)
class FileAudit:
    """A local file of JSON lines that is only added to: readable by its owner alone, locked while it is written."""

    path: Path

    async def append(self, event: Event) -> str:
        """Write a line and wait until it is on the disk."""
        return await asyncio.to_thread(self._append, event)

    async def started(self, plan: PlanId) -> Event | None:
        """The first line of a plan."""
        return await asyncio.to_thread(self._started, plan)

    async def ended(self, start: Event) -> Event | None:
        """The first line after the start that ends the plan."""
        return await asyncio.to_thread(self._ended, start)

    async def last(self, repair: str, place: str) -> Event | None:
        """The last line of a repair's, before it changed something at a place."""
        return await asyncio.to_thread(self._last_of, repair, place)

    def lines(self) -> Iterator[AuditLine]:
        """Every line, from the first on, as far as the chain holds; nothing where there is no file.

        Raises:
            AuditError: it cannot be read, or its chain is broken; the text names the first line that is wrong.
        """
        previous = FIRST
        try:
            with self._opened(os.O_RDONLY) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
                for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE), b""), start=1):
                    event = self._read(number, raw, previous)
                    previous = _head(raw)
                    yield AuditLine(number, event, previous)
        except FileNotFoundError:
            return

    def _started(self, plan: PlanId) -> Event | None:
        return next((line.event for line in self.lines() if line.event.plan == plan), None)

    def _ended(self, start: Event) -> Event | None:
        events = (line.event for line in self.lines())
        later = dropwhile(lambda event: event.plan != start.plan, events)
        return next((event for event in later if ends(event, start)), None)

    def _last_of(self, repair: str, place: str) -> Event | None:
        wanted = ("before", repair, place)
        events = (line.event for line in self.lines())
        found = deque((each for each in events if (each.moment, each.repair, each.place) == wanted), maxlen=1)
        return found.pop() if found else None

    def _append(self, event: Event) -> str:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._opened(os.O_RDWR | os.O_CREAT | os.O_APPEND) as descriptor:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                raw = _line(event, self._last(descriptor))
                _write(descriptor, raw)
        except OSError as error:
            raise AuditError(f"the audit {self.path} cannot be written: {error.strerror}", _NEXT) from error
        return _head(raw)

    @contextmanager
    def _opened(self, flags: int) -> Generator[int]:
        """The file's descriptor, once it has proved to be a file that only its owner can touch. A pipe never blocks."""
        try:
            descriptor = os.open(self.path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise AuditError(f"the audit {self.path} cannot be opened: {error.strerror}", _NEXT) from error
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise AuditError(f"the audit {self.path} is no file", _NEXT)
            if facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
                raise AuditError(f"others may read or change the audit {self.path}", f"chmod 600 {self.path}")
            yield descriptor
        finally:
            os.close(descriptor)

    def _last(self, descriptor: int) -> str:
        """The hash of the last line."""
        size = os.fstat(descriptor).st_size
        if size == 0:
            return FIRST
        start = max(0, size - MAX_LINE)
        tail = os.pread(descriptor, size - start, start)
        if not tail.endswith(b"\n"):
            raise AuditError(f"the last line of the audit {self.path} is cut off", "move the file aside, and keep it")
        return _head(tail[tail.rfind(b"\n", 0, -1) + 1 :])

    def _read(self, number: int, raw: bytes, previous: str) -> Event:
        try:
            fields = json.loads(raw)
            chained = fields.pop("previous")
            event = Event.model_validate(fields)
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError, ValidationError):
            raise self._broken(number, "it is no line of an audit") from None
        if not raw.endswith(b"\n"):
            raise self._broken(number, "it is cut off")
        if chained != previous:
            raise self._broken(number, "it does not carry the hash of the line before")
        return event

    def _broken(self, number: int, why: str) -> AuditError:
        return AuditError(
            f"the audit {self.path} is broken at line {number}: {why}",
            "what is from there on proves nothing: find out who changed the file, and keep it",
        )


def audit_path(settings: Settings) -> Path:
    """The file of the settings, or the one in the user's state folder."""
    path = settings.audit.path
    return Path(path).expanduser() if path else user_state_path("validate-daily") / "audit.jsonl"


def _line(event: Event, previous: str) -> bytes:
    raw = json_line(event, previous).encode() + b"\n"
    if len(raw) > MAX_LINE:
        raise AuditError(f"a line of {len(raw):,} bytes is too long for the audit", "plan less at a time")
    return raw


def _write(descriptor: int, raw: bytes) -> None:
    """Write a whole line and wait until it is on the disk; what is written in part is taken back."""
    size = os.fstat(descriptor).st_size
    try:
        left = raw
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _head(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
