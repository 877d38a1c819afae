"""One call that plans or changes: who asks, whether writes are on, and the seal that plans bear."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver.context import Context

from checks.settings.file import Settings
from mcp_server.http.google_tokens import WRITE
from mcp_server.progress import client_progress
from mcp_server.state import ServerState
from validate_daily.repairs.plans.errors import RefusedError, RepairError
from validate_daily.repairs.plans.plan import Principal
from validate_daily.repairs.plans.seal import KEY_VARIABLE, Binding, Seal, plan_key
from validate_daily.repairs.plans.session import RepairSession, local_principal

SECONDS: Final = 600.0
"""What applying a plan may take; it can be resumed."""


S = TypeVar("S", bound=RepairSession)
SessionOpener = Callable[..., AbstractAsyncContextManager[S]]
"""Opens a session: ``open_session``, or one that takes the same."""


@dataclass(frozen=True, slots=True)
class ChangeCall:
    """What one call may plan and change.

    Attributes:
        settings: as they are now.
        principal: who asks: verified over HTTP, else the user of this machine.
        seal: seals and opens plans.
        state: what the server keeps.
    """

    settings: Settings
    principal: Principal
    seal: Seal
    state: ServerState

    @property
    def binding(self) -> Binding:
        """What a plan must be bound to."""
        return Binding.of(self.settings, self.principal)


def change_call(ctx: Context[ServerState, Any]) -> ChangeCall:
    """Who may change what now.

    Raises:
        RepairError: writes are off, the caller may not write, or what writes over HTTP need is not set.
    """
    state = ctx.request_context.lifespan_context
    settings = state.settings()
    if settings.no_writes is not None:
        raise RepairError("writes are off", settings.no_writes)
    principal = _remote(settings, state) if state.remote else local_principal()
    return ChangeCall(settings, principal, Seal(plan_key(state.environment)), state)


@asynccontextmanager
async def repair_session(
    ctx: Context[ServerState, Any], change: ChangeCall, opener: SessionOpener[S], *, writing: bool
) -> AsyncGenerator[S]:
    """The way to what is changed, for planning or for changing."""
    seconds = SECONDS if writing else change.state.timeout
    async with (
        client_progress(ctx) as progress,
        opener(
            change.settings,
            change.principal,
            writing=writing,
            timeout=seconds,
            progress=progress,
            environment=change.state.environment,
        ) as session,
    ):
        yield session


def _remote(settings: Settings, state: ServerState) -> Principal:
    token = get_access_token()
    if token is None or WRITE not in token.scopes:
        raise RefusedError("over HTTP only verified callers may change anything", "name the email under [http] writers")
    if settings.writes.impersonate is None:
        raise RepairError("over HTTP writes need a service account of their own", "set [writes] impersonate")
    if settings.audit.cloud_logging is None:
        raise RepairError("over HTTP changes are written down in Cloud Logging", "set [audit] cloud_logging")
    if state.environment.get(KEY_VARIABLE) is None:
        raise RepairError("over HTTP plans need a key that all instances share", f"set {KEY_VARIABLE}")
    return Principal(name=token.client_id, verified=True)
