"""A practice cloud's services and jobs to repair: sessions, plans and agreements to them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from checks.settings.file import Settings, parse_settings
from checks.sources.progress import Progress, quiet
from validate_daily.repairs.cloud_run.redeploy import apply_redeploy, plan_redeploy
from validate_daily.repairs.cloud_run.session import RunSession, open_run_session
from validate_daily.repairs.plans.cloud_run_outcomes import Rollout
from validate_daily.repairs.plans.cloud_run_plans import RedeployPlan
from validate_daily.repairs.stores.audit_file import FileAudit
from validate_daily.sandbox import Sandbox, World, build

from support.paths import EXAMPLE
from support.plans import ANA
from support.repair_bench import agreed

PHASE2, PHASE3 = "nba-phase2-raw-processors", "nba-phase3-analytics-processors"
CHANGING = frozenset({"UpdateService", "UpdateJob", "RunJob"})


@dataclass
class Cloud:
    """A practice cloud, and an audit of one's own."""

    world: World
    sandbox: Sandbox
    audit: FileAudit
    settings: Settings

    @asynccontextmanager
    async def session(
        self, *, writing: bool = False, seconds: float = 30, pause: float = 0.02, progress: Progress = quiet
    ) -> AsyncGenerator[RunSession]:
        async with open_run_session(
            self.settings,
            ANA,
            writing=writing,
            timeout=seconds,
            progress=progress,
            environment=self.sandbox.environment(),
            clock=self.world.clock.now,
            pause=pause,
        ) as session:
            yield session

    async def plan(self, service: str = PHASE2, **told: Any) -> RedeployPlan:
        async with self.session() as session:
            return await plan_redeploy(session, service, **told)

    async def apply(self, plan: RedeployPlan, **told: Any) -> Rollout:
        async with self.session(writing=True, **told) as session:
            return await apply_redeploy(session, plan, agreed(plan), self.audit)

    def with_service(self, name: str, **told: Any) -> "Cloud":
        """The same, with other settings of one service."""
        return self._with("services", name, told)

    def with_job(self, name: str, **told: Any) -> "Cloud":
        """The same, with other settings of one job."""
        return self._with("jobs", name, told)

    def _with(self, section: str, name: str, told: dict[str, Any]) -> "Cloud":
        pipeline = self.settings.pipeline
        entries = tuple(
            each.model_copy(update=told) if each.name == name else each for each in getattr(pipeline, section)
        )
        return replace(self, settings=replace(self.settings, pipeline=pipeline.model_copy(update={section: entries})))

    @property
    def changes(self) -> list[str]:
        """The calls that change Cloud Run, and their rehearsals."""
        return [each.method for each in self.world.calls if each.method in CHANGING]

    def serving(self, service: str = PHASE2) -> list[tuple[str, int, str]]:
        """The observed traffic: revision, share, image."""
        return [
            (revision.name, percent, self.world.images.program(revision.template.containers).image)
            for revision, percent in self.world.service(service).serving()
        ]


@asynccontextmanager
async def cloud(
    scenario: str, folder: Path, *, more: str = "", change: Callable[[World], None] = lambda _world: None
) -> AsyncGenerator[Cloud]:
    """A practice cloud in which a rollout takes a moment, and settings that let it be changed."""
    world = build(scenario)
    world.run.takes = timedelta(milliseconds=100)
    change(world)
    text = f"{EXAMPLE.read_text()}\n[writes]\nenabled = true\nmax_documents = 200000\n{more}\n"
    settings = Settings(parse_settings(text, origin="F"), Path("F"), named=True)
    async with Sandbox(world) as sandbox:
        yield Cloud(world, sandbox, FileAudit(folder / "audit" / "audit.jsonl"), settings)
