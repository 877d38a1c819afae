"""Lets heartbeats survive a fork: of locks and connections the child gets its own, and no fork splits a call.

Whoever held a lock in the parent does not exist in the child, so nobody there would release it. And where a thread is
inside gRPC, or imports a package, at the moment of a fork, then gRPC, or that package, is broken in the child for good.
"""

import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final, Protocol
from weakref import WeakSet

_MOMENT: Final = 0.001
_LONGEST_WAIT: Final = 10.0
"""Seconds that a fork waits for calls to end. A beat's attempt ends in five, unless its budget is uncommonly large."""


class ForkAware(Protocol):
    """Something that must be renewed in a forked child."""

    def after_fork(self) -> None:
        """Replace locks, and forget threads and connections, which belong to the parent. Runs in the child alone."""
        ...


class _Gate:
    """Calls are inside, or forks happen; not both.

    It has no lock: a signal handler may wait for a thread that wants to enter, while its own thread is just entering.
    Appending to a list and looking at the other list is enough, as both sides append first and look then.
    """

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        self._inside: list[int] = []
        self._forks: list[int] = []

    def enter(self, timeout: float) -> None:
        thread, deadline = threading.get_ident(), time.monotonic() + timeout
        self._inside.append(thread)
        while self._forks:
            self._inside.remove(thread)
            if time.monotonic() > deadline:
                raise TimeoutError(f"a fork was under way for {timeout:.3g} s")
            time.sleep(_MOMENT)
            self._inside.append(thread)

    def leave(self) -> None:
        with suppress(ValueError):  # a child that was forked in here
            self._inside.remove(threading.get_ident())

    def before_fork(self) -> None:
        thread, deadline = threading.get_ident(), time.monotonic() + _LONGEST_WAIT
        self._forks.append(thread)
        while any(other != thread for other in self._inside) and time.monotonic() < deadline:
            time.sleep(_MOMENT)

    def after_fork_in_parent(self) -> None:
        self._forks.remove(threading.get_ident())


_gate: Final = _Gate()
_renewed: Final[WeakSet[ForkAware]] = WeakSet([_gate])


@contextmanager
def whole_in_a_fork(timeout: float) -> Generator[float]:
    """A block that no fork splits: a fork waits until the block ends, up to some seconds.

    Args:
        timeout: seconds to wait for a fork that is under way. The block gets those that are left.

    Raises:
        TimeoutError: that fork took longer.
    """
    deadline = time.monotonic() + timeout
    _gate.enter(timeout)
    try:
        yield deadline - time.monotonic()
    finally:
        _gate.leave()


def renew_after_fork(thing: ForkAware) -> None:
    """Call ``thing.after_fork()`` in every child that this process forks, for as long as the thing exists."""
    _renewed.add(thing)


def _renew_all() -> None:
    for thing in list(_renewed):
        thing.after_fork()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_gate.before_fork, after_in_parent=_gate.after_fork_in_parent, after_in_child=_renew_all)
