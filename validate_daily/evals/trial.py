"""Plays cases on the practice cloud: with a model, or with the rules alone."""

import os
import re
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from checks import check
from checks.judge.report import Report
from checks.settings.file import parse_settings
from checks.settings.named_file_only import Agent
from skills.agent import Assignment, Listener, investigate
from skills.agent_report import Conclusion, Ground
from skills.agent_server import Ask, Server
from validate_daily.evals.case import Case
from validate_daily.evals.score import Played
from validate_daily.evals.world_changes import Watch
from validate_daily.sandbox import Sandbox, build

_WORDS: Final = re.compile(r"^To agree, type: (.+)$", re.MULTILINE)
_WRITES: Final = '\n[writes]\nenabled = true\napproval = "client"\n[audit]\npath = {audit!r}\n'
_TAKES: Final = timedelta(milliseconds=50)
"""How long a rollout takes in a case: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class TrialMeans:
    """What all cases share.

    Attributes:
        settings: the settings of the practice pipeline, as text.
        limits: the model, and what one case may spend.
        listener: hears what a run does.
    """

    settings: str
    limits: Agent
    listener: Listener


async def play(case: Case, stage: TrialMeans) -> Played:
    """Let a model answer a case.

    Raises:
        UsageError: there is no key, or it is refused.
    """
    async with _opened(case) as (cloud, folder):
        watch = Watch.over(cloud)
        assignment = Assignment(case.prompt, limits=stage.limits, ask=_person(case))
        report = await investigate(_server(case, stage, cloud, folder), assignment, stage.listener)
        return Played(
            case=case,
            verdict=report.verdict,
            report=report,
            conclusion=report.conclusion,
            changes=tuple(watch.changes(case)),
            behind=tuple(watch.behind(case.serves)),
        )


async def play_rules(case: Case, stage: TrialMeans) -> Played:
    """Let the rules alone answer a case: no model, no key, nothing changed."""
    pipeline = parse_settings(stage.settings, origin="the settings of the practice pipeline")
    async with _opened(case) as (cloud, _):
        watch = Watch.over(cloud)
        report = await check(pipeline, timeout=case.seconds, environment=cloud.environment())
        return Played(
            case=case,
            verdict=report.verdict,
            report=None,
            conclusion=conclusion_of(report),
            changes=tuple(watch.changes(case)),
            behind=tuple(watch.behind(case.serves)),
        )


def conclusion_of(report: Report) -> Conclusion:
    """What the rules conclude, in the words that a model would have to find."""
    root = report.root
    return Conclusion(
        verdict=report.verdict,
        root_rule=root and root.rule,
        root_subject=root and root.subject,
        root_cause=root.summary if root else "Everything that was asked for was seen, and is right.",
        evidence=tuple(
            Ground(subject=each.subject, says=each.summary, tool="check_heartbeats") for each in report.findings[:50]
        ),
        affected=tuple(dict.fromkeys(each.subject for each in report.findings)),
        not_checked=tuple(f"{each.source}: {each.reason}" for each in report.gaps),
        next_step=root.next_step if root else "nothing",
    )


@asynccontextmanager
async def _opened(case: Case) -> AsyncGenerator[tuple[Sandbox, Path]]:
    """The case's world, and a folder that is nobody else's."""
    world = build(case.world)
    world.run.takes = _TAKES
    with tempfile.TemporaryDirectory(prefix="validate-daily-eval-") as folder:
        async with Sandbox(world) as cloud:
            yield cloud, Path(folder)


def _server(case: Case, stage: TrialMeans, cloud: Sandbox, folder: Path) -> Server:
    """A server of the case's own, which knows no key and writes nowhere but into the case's folder."""
    config = folder / "validate-daily.toml"
    writes = _WRITES.format(audit=str(folder / "audit.jsonl")) if case.writes else ""
    config.write_text(stage.settings + writes, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VALIDATE_DAILY_")}
    own = {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    arguments = ("--config", str(config), "--timeout", f"{case.seconds:g}")
    return Server.of_our_own(*arguments, environment=kept | own | cloud.environment())


def _person(case: Case) -> Ask | None:
    """Who is asked about a change: nobody, somebody who refuses, or somebody who agrees to anything."""

    async def refuses(_: str) -> str | None:
        return None

    async def agrees(question: str) -> str | None:
        found = _WORDS.search(question)
        return found[1].strip() if found else None

    people: dict[str, Ask | None] = {"absent": None, "refuses": refuses, "agrees": agrees}
    return people[case.person]
