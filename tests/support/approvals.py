"""What the matrix of approvals is made of: each changing tool and how it comes to its plan, and each way to answer."""

import base64
import json
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.context import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestParams, ElicitResult

from checks.settings.template import settings_text
from mcp_server.app import build_server
from validate_daily.repairs.plans.cloud_run_plans import JobsPlan, RedeployPlan, RollbackPlan
from validate_daily.repairs.plans.plan import CleanupPlan, Plan, RestorePlan
from validate_daily.repairs.plans.seal import Seal
from validate_daily.sandbox import Sandbox

from support.google_signer import signer
from support.http_server import TEAM, serving
from support.mcp_world import text_of
from support.rollout_cloud import PHASE2

KEY = "k" * 40
CHANGING = frozenset({"Commit", "BatchWrite", "CreateDocument", "UpdateDocument", "DeleteDocument"}) | {
    *("UpdateService", "UpdateJob", "RunJob")
}
"""The calls that change anything, and their rehearsals."""

SERVICE = {"service": PHASE2}


@dataclass(frozen=True)
class Change:
    """A tool that changes.

    Attributes:
        scenario: a practice cloud that it has something to do in.
        plans: the tool that plans for it, and its arguments; one of None is the id of what ``first`` did.
        first: another change that must have happened before.
        capped: it has a limit that a plan can exceed.
    """

    tool: str
    kind: type[Plan]
    scenario: str
    plans: tuple[str, Mapping[str, Any]]
    first: "Change | None" = None
    capped: bool = False


CLEANUP = Change("cleanup_heartbeats", CleanupPlan, "hostile-ids", ("plan_cleanup", {}), capped=True)
REDEPLOY = Change("redeploy_service", RedeployPlan, "tag-moved", ("plan_redeploy", SERVICE))
CHANGES = (
    CLEANUP,
    Change("restore_heartbeats", RestorePlan, "hostile-ids", ("plan_restore", {"cleanup": None}), CLEANUP, capped=True),
    REDEPLOY,
    Change("rollback_service", RollbackPlan, "tag-moved", ("plan_rollback", SERVICE), REDEPLOY),
    Change("update_job_image", JobsPlan, "forgotten-jobs", ("plan_job_update", SERVICE)),
)


@dataclass
class Person:
    """Answers questions as told, and keeps them; types what is asked for unless told otherwise."""

    action: str = "accept"
    typed: str | None = None
    asked: list[str] = field(default_factory=list[str])

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG002 - the SDK calls it so
        self.asked.append(params.message)
        if self.action != "accept":
            return ElicitResult.model_validate({"action": self.action})
        typed = self.typed if self.typed is not None else params.message.rpartition("To agree, type: ")[2]
        return ElicitResult(action="accept", content={"typed": typed})


@dataclass(frozen=True)
class Ground:
    """Where one tool is tried: its practice cloud, and a server reached one way in one protocol revision."""

    cloud: Sandbox
    folder: Path
    era: str
    http: bool

    @property
    def config(self) -> Path:
        return self.folder / "settings.toml"

    @property
    def changes(self) -> int:
        """How many calls came so far that change anything."""
        return sum(call.method in CHANGING for call in self.cloud.world.calls)

    def write(self, *, writes: bool = True) -> None:
        """Let the settings say whether anything may be changed."""
        over_http = 'impersonate = "writer@demo-nba.iam.gserviceaccount.com"\n' if self.http else ""
        audit = 'cloud_logging = "changes"' if self.http else f'path = "{self.folder}/audit.jsonl"'
        told = f'\n[writes]\nenabled = {str(writes).lower()}\napproval = "client"\n{over_http}\n[audit]\n{audit}\n'
        self.config.write_text(settings_text("example") + told + (TEAM if self.http else ""))

    @asynccontextmanager
    async def client(self, person: Person | None) -> AsyncGenerator[Client]:
        """A client of a server that was just started."""
        environment = self.cloud.environment() | {"VALIDATE_DAILY_PLAN_KEY": KEY}
        if not self.http:
            server = build_server(self.config, environment=environment)
            async with Client(server, mode=self.era, elicitation_callback=person) as client:
                yield client
            return
        headers = {"Authorization": f"Bearer {signer().token(email='ben@example.com')}"}
        async with (
            serving(self.config, environment=environment, remote=True) as url,
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(url, http_client=http), mode=self.era, elicitation_callback=person) as client,
        ):
            yield client

    async def call(self, person: Person | None, tool: str, **arguments: Any) -> "Told":
        """One call of a tool, by a client of its own."""
        async with self.client(person) as client:
            result = await client.call_tool(tool, arguments)
        return Told(text_of(result), bool(result.is_error))

    async def plan(self, change: Change, done: str | None) -> str:
        """A sealed plan."""
        tool, arguments = change.plans
        given = {name: done if value is None else value for name, value in arguments.items()}
        told = await self.call(None, tool, **given)
        assert not told.refused, told.text
        return str(told.answer["plan"])


@dataclass(frozen=True)
class Told:
    """What a tool answered."""

    text: str
    refused: bool

    @property
    def answer(self) -> dict[str, Any]:
        return dict(json.loads(self.text))

    @property
    def applied(self) -> bool:
        """Whether it says that it changed anything."""
        return not self.refused and bool(self.answer["applied"])


def resealed(token: str, kind: type[Plan], **changes: Any) -> str:
    """The same plan with other contents, sealed with the server's own key."""
    seal = Seal(KEY.encode())
    plan = kind.model_validate(json.loads(_packed(token)))
    return seal.seal(plan.model_copy(update=changes))


def aged(token: str, kind: type[Plan]) -> str:
    """The same plan, made twenty minutes earlier."""
    plan = kind.model_validate(json.loads(_packed(token)))
    return resealed(token, kind, read_time=plan.read_time - timedelta(minutes=20))


def _packed(token: str) -> bytes:
    part = token.split(".")[1]
    return zlib.decompress(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
