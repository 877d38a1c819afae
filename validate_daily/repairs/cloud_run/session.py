"""An open way to change services and jobs, or to plan it."""

import asyncio
import importlib
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checks.ask.snapshot import target_of
from checks.evidence.snapshot import Target
from checks.settings.file import Settings
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.progress import Progress, quiet
from validate_daily.repairs.plans.clock import Clock, machine_time
from validate_daily.repairs.plans.errors import RepairError, UnseenError
from validate_daily.repairs.plans.plan import Principal
from validate_daily.repairs.plans.session import DEFAULT_TIMEOUT, RepairSession

if TYPE_CHECKING:
    from validate_daily.repairs.stores.cloud_run import RunStore

PAUSE: Final = 2.0


@dataclass(slots=True)
class RunSession(RepairSession):
    """An open way to Cloud Run, and to the registries and logs that go with it.

    Attributes:
        store: reads and changes services and jobs.
        cloud_run: where.
        reader: whose credentials look at registries and logs: those that read, also where this session writes.
        environment: where addresses are looked up.
        clock: by which plans expire: Cloud Run tells no time of its own.
        pause: seconds at most between two looks at what is in progress.
    """

    store: "RunStore"
    cloud_run: Target
    reader: Login
    environment: Mapping[str, str]
    clock: Clock
    pause: float

    @property
    def target(self) -> Target:
        """Cloud Run's address."""
        return self.cloud_run

    @property
    def registry(self) -> Target:
        """Where images are."""
        return target_of(self.settings.pipeline, "registry", self.environment)


@asynccontextmanager
async def open_run_session(
    settings: Settings,
    principal: Principal,
    *,
    writing: bool = False,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that all calls share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
    clock: Clock = machine_time,
    pause: float = PAUSE,
) -> AsyncGenerator[RunSession]:
    """Open a session; planning takes one that reads, applying one that is ``writing``.

    Args:
        settings: which pipeline, and what may be changed.
        principal: who asks.
        writing: with the credentials that change things: those of ``[writes] impersonate``, if it is set.
        timeout: seconds that all calls together may take.
        progress: told how far the long steps are.
        environment: where addresses are looked up.
        clock: by which plans expire.
        pause: seconds at most between two looks at what is in progress.

    Raises:
        RepairError: writes are off, or the settings leave Cloud Run out.
        UsageError: an address is refused.
        UnseenError: there are no usable credentials.
    """
    if settings.no_writes is not None:
        raise RepairError("writes are off", settings.no_writes)
    if why := settings.pipeline.unasked.get("cloud-run"):
        raise RepairError(f"Cloud Run is not looked at: {why}", "mend the settings, and plan again")
    target = target_of(settings.pipeline, "cloud-run", environment)
    await asyncio.to_thread(_load)
    from checks.sources.budget import Budget, patient  # noqa: PLC0415 - Google's packages load when used
    from validate_daily.repairs.stores.cloud_run import connect  # noqa: PLC0415 - the same

    budget = Budget(timeout)
    login = Login(impersonate=settings.writes.impersonate if writing else None)
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(patient(budget, connect(target, login, budget)))
        except SourceError as error:
            raise UnseenError.of("cloud-run", error) from error
        reader = login if login.impersonate is None else Login()
        yield RunSession(
            settings, principal, budget, progress, writing, store, target, reader, environment, clock, pause
        )


def _load() -> None:
    """Load what takes seconds, which are not the budget's."""
    for module in ("checks.sources.budget", "checks.sources.registry.tags", "validate_daily.repairs.stores.cloud_run"):
        importlib.import_module(module)
