"""What goes wrong on purpose: rules that slow calls down, refuse them, cut them off, or leave them without answer."""

import threading
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from validate_daily.sandbox.calls import Side

Status = Literal[
    "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
]  # fmt: skip
"""The gRPC statuses that a call can end with."""


class Fault(BaseModel):
    """One rule.

    Attributes:
        method: the method's short name, such as ``RunQuery``, or ``*`` for every call.
        service: the service whose calls it is about; all unless given.
        status: how the call ends; together with ``cut_after``, how its stream does.
        message: what the client is told.
        hang: never answer. Ends when the client gives up or the server stops.
        after: let the call take effect first: only its acknowledgement is lost. Not for streams.
        cut_after: end a stream after this many documents.
        latency: seconds to wait before anything else.
        skip: how many calls it lets pass before it applies.
        times: how many calls it applies to, or None for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str = "*"
    service: Side | None = None
    status: Status | None = None
    message: str = "a fault of the practice cloud"
    hang: bool = False
    after: bool = False
    cut_after: Annotated[int, Field(ge=0)] | None = None
    latency: Annotated[float, Field(ge=0)] = 0.0
    skip: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _does_something(self) -> "Fault":
        if self.cut_after is not None and self.status is None:
            raise ValueError("cut_after needs the status that the stream ends with")
        if self.status is None and not self.hang and not self.latency:
            raise ValueError("a fault needs at least one of status, hang and latency")
        return self


class Faults:
    """The rules in force; for each call, the first that fits applies."""

    def __init__(self, rules: Iterable[Fault] = ()) -> None:
        self._rules: list[tuple[Fault, int, int | None]] = [(rule, rule.skip, rule.times) for rule in rules]
        self._lock = threading.Lock()
        self._side: Side | None = None

    def of(self, side: Side) -> "Faults":
        """The same rules, as they hold for one service."""
        view = Faults()
        view._rules, view._lock, view._side = self._rules, self._lock, side
        return view

    def add(self, fault: Fault) -> None:
        """Put a rule before all others."""
        with self._lock:
            self._rules.insert(0, (fault, fault.skip, fault.times))

    def clear(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._rules.clear()

    def take(self, method: str) -> Fault | None:
        """The rule for a call of this method, which uses it up by one."""
        with self._lock:
            for place, (rule, skip, left) in enumerate(self._rules):
                if left == 0 or rule.method not in {"*", method} or rule.service not in {None, self._side}:
                    continue
                if skip:
                    self._rules[place] = (rule, skip - 1, left)
                    continue
                if left is not None:
                    self._rules[place] = (rule, skip, left - 1)
                return rule
        return None
