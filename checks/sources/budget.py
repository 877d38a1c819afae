"""What every source shares: a budget of time, and a bounded retry."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

from google.api_core import exceptions
from google.api_core.retry import exponential_sleep_generator

from checks.evidence.snapshot import Gap
from checks.sources.errors import SourceError
from checks.sources.google_errors import explain

T = TypeVar("T")

SILENCE: Final = 10.0
"""Seconds that a call may at least keep silent before it counts as hanging; a quarter of a larger budget's rest."""

ATTEMPTS: Final = 4
"""How often a call is made that fails with what a moment later may be gone."""

_NAMED: Final = 20
"""How many things one gap names."""

_TRANSIENT: Final = (
    exceptions.ServiceUnavailable,
    exceptions.InternalServerError,
    exceptions.DeadlineExceeded,
    exceptions.Aborted,
)


@dataclass(slots=True)
class Budget:
    """Seconds that a source may take in all, counted from its making inside the running loop."""

    seconds: float
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        self._ends = asyncio.get_running_loop().time() + self.seconds

    def remaining(self) -> float:
        """Seconds left, 0 at least."""
        return max(0.0, self._ends - asyncio.get_running_loop().time())

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.remaining() == 0.0

    def deadline(self) -> float:
        """Seconds to give Google's client: a second more than is left, so that ``patience`` ends a call first."""
        return self.remaining() + 1.0

    def silence(self) -> float:
        """Seconds that a call may now keep silent."""
        rest = self.remaining()
        return min(rest, max(SILENCE, rest / 4))

    def patience(self) -> asyncio.Timeout:
        """A timeout around one call that keeps silent."""
        return asyncio.timeout(self.silence())

    def extend(self, patience: asyncio.Timeout) -> None:
        """Data arrived: restart the silence timer. Cheap enough to be called for every message."""
        silence = self.silence()
        until = asyncio.get_running_loop().time() + silence
        if until - (patience.when() or 0.0) > silence / 10:
            patience.reschedule(until)


@asynccontextmanager
async def patient(budget: Budget, opening: AbstractAsyncContextManager[T]) -> AsyncGenerator[T]:
    """Enter a connection within the budget; what then is asked of it has a patience of its own.

    Raises:
        SourceError: it did not open in time, for want of credentials.
    """
    async with AsyncExitStack() as stack:
        try:
            async with budget.patience():
                opened = await stack.enter_async_context(opening)
        except TimeoutError:
            raise SourceError("no credentials within the time given", "try again, with a longer --timeout") from None
        yield opened


async def persist(call: Callable[[], Awaitable[T]], budget: Budget) -> T:
    """Make a call, and again after a transient failure, a few times and within the budget.

    Raises:
        exceptions.GoogleAPICallError: the last failure, or one that no retry mends.
        TimeoutError: the call kept silent for too long; what hangs is not asked again.
    """
    for pause in islice(exponential_sleep_generator(0.1, 1.0), ATTEMPTS - 1):
        try:
            return await call()
        except _TRANSIENT:
            if pause >= budget.remaining():
                raise
            await asyncio.sleep(pause)
    return await call()


async def ask(call: Callable[[], Awaitable[T]], budget: Budget, *, role: str) -> T:
    """Make a call as ``persist`` does, and turn whatever a server does into one kind of error.

    Raises:
        SourceError: there is no answer; its text says why, its next step what to do.
    """
    silence = budget.silence()
    try:
        return await persist(call, budget)
    except exceptions.GoogleAPICallError as error:
        raise explain(error, role=role) from error
    except TimeoutError:
        given = "the time given" if budget.spent else f"{silence:.0f} s"
        raise SourceError(f"no answer within {given}", "try again, with a longer --timeout") from None


def gaps(source: str, failures: Iterable[tuple[str, SourceError]]) -> tuple[Gap, ...]:
    """What was asked and why there is no answer, as evidence; what failed alike is one gap that names all of it."""
    alike: dict[tuple[str, str], list[str]] = {}
    for what, failure in sorted(failures, key=lambda each: each[0]):
        alike.setdefault((str(failure), failure.next_step), []).append(what)
    return tuple(
        Gap(source=source, reason=f"{_listed(asked)}: {reason}", next_step=step)
        for (reason, step), asked in alike.items()
    )


def _listed(names: list[str]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED:,} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
