"""An open way to change one pipeline's documents, or to plan it: settings, principal, connection, limits of time."""

import asyncio
import importlib
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from checks.evidence.snapshot import Target
from checks.settings.file import Settings
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.firestore.channel import Connection, connect, heartbeats_target
from checks.sources.progress import Progress, quiet
from checks.text.plural import counted
from validate_daily.repairs.plans.errors import RefusedError, RepairError, UnseenError
from validate_daily.repairs.plans.plan import Principal
from validate_daily.repairs.plans.session import DEFAULT_TIMEOUT, RepairSession
from validate_daily.repairs.stores.bill import Bill


@dataclass(slots=True)
class DocumentSession(RepairSession):
    """An open way to the documents.

    Attributes:
        connection: to Firestore.
        bill: what was billed so far.
    """

    connection: Connection
    bill: Bill = field(default_factory=Bill)

    @property
    def target(self) -> Target:
        """The database."""
        return self.connection.target

    @property
    def root(self) -> str:
        """What the full name of every document begins with."""
        return f"{self.connection.target.resource}/documents"

    def check_limit(self, asked: int | None, count: int) -> int:
        """How many documents one plan may touch.

        Args:
            asked: another limit than that of the settings.
            count: how many a plan would touch.

        Raises:
            RefusedError: it would touch more.
        """
        limit = self.settings.writes.max_documents if asked is None else asked
        if count > limit:
            raise RefusedError(
                f"{counted(count, 'document is', 'documents are')} more than the {limit:,} that one plan may touch",
                "raise [writes] max_documents, or give --max in a terminal",
            )
        return limit


@asynccontextmanager
async def open_session(
    settings: Settings,
    principal: Principal,
    *,
    writing: bool = False,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that all calls share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> AsyncGenerator[DocumentSession]:
    """Open a session; planning takes one that reads, applying one that is ``writing``.

    Args:
        settings: which pipeline, and what may be changed.
        principal: who asks.
        writing: with the credentials that change things: those of ``[writes] impersonate``, if it is set.
        timeout: seconds that all calls together may take.
        progress: told how far the long steps are.
        environment: where ``FIRESTORE_EMULATOR_HOST`` is looked up.

    Raises:
        RepairError: writes are off.
        UsageError: the address is refused.
        UnseenError: there are no usable credentials.
    """
    if settings.no_writes is not None:
        raise RepairError("writes are off", settings.no_writes)
    target = heartbeats_target(settings.pipeline, environment)
    await asyncio.to_thread(_load)
    from checks.sources.budget import Budget, patient  # noqa: PLC0415 - Google's packages load when used

    budget = Budget(timeout)
    login = Login(impersonate=settings.writes.impersonate if writing else None)
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(patient(budget, connect(target, login)))
        except SourceError as error:
            raise UnseenError.of("firestore", error) from error
        yield DocumentSession(settings, principal, budget, progress, writing, connection)


def _load() -> None:
    """Load what takes seconds, which are not the budget's."""
    for module in (
        "checks.sources.budget",
        "validate_daily.repairs.stores.listing",
        "validate_daily.repairs.stores.documents",
    ):
        importlib.import_module(module)
