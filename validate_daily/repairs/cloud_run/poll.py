"""Waits for Cloud Run: looks again and again, with pauses, until something holds or the time is up."""

import asyncio
from collections.abc import Callable
from typing import Final

from validate_daily.repairs.cloud_run.service_state import ServiceState, read_state
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.cloud_run.update import StoppedError

_FIRST: Final = 0.1
"""Seconds of half the first pause; each is twice as long as the one before, up to the session's."""

UNANSWERED: Final = 4
"""Looks after which a change that nobody acknowledged, and that does not show, is no longer waited for."""


async def wait_until(
    session: RunSession, resource: str, holds: Callable[[ServiceState], bool], *, what: str, looks: int | None = None
) -> ServiceState:
    """The first look at a service for which something holds.

    Args:
        session: the way there; its budget bounds the wait.
        resource: the service's full name.
        holds: may raise ``StoppedError`` where it will never hold.
        what: is waited for, in words that a person sees meanwhile.
        looks: how many are enough; None goes on until the budget is spent.

    Raises:
        StoppedError: it does not hold, and no more is looked.
        UnseenError: the service cannot be read.
    """
    count = 0
    while True:
        state = await read_state(session, resource)
        count += 1
        session.progress(what, count, None)
        if holds(state):
            return state
        if session.budget.remaining() <= session.pause:
            raise StoppedError(
                "the time that was given is up, and the change is still in progress",
                "look at it with validate-daily check; go on with --resume and this plan's id",
                done=None,
            )
        if looks is not None and count >= looks:
            raise StoppedError(
                "Cloud Run did not acknowledge the change, and shows nothing of it",
                "look at it with validate-daily check, and plan again",
                done=None,
            )
        await asyncio.sleep(min(session.pause, _FIRST * 2**count))
