"""Renews locks and connections in a forked child: nobody there would release a lock that another thread held."""

import os
from typing import Final, Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """Something that must be renewed in a forked child."""

    def after_fork(self) -> None:
        """Replace locks, and forget threads and connections, which belong to the parent. Runs in the child alone."""
        ...


_renewed: Final[WeakSet[ForkAware]] = WeakSet()


def renew_after_fork(thing: ForkAware) -> None:
    """Call ``thing.after_fork()`` in every child that this process forks, for as long as the thing exists."""
    _renewed.add(thing)


def _renew_all() -> None:
    for thing in list(_renewed):
        thing.after_fork()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew_all)
