"""Runs of the agent for tests: the command in a process of its own, against a scripted Messages API."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from validate_daily.sandbox import Sandbox

from support import prepared
from support.messages_api import Both, Request, Script, Step, Use, results
from support.paths import EXAMPLE

Report = dict[str, Any]


def environment_for(cloud: Sandbox, script: Script, **variables: str) -> dict[str, str]:
    """What leads the command to a practice cloud, and to a script instead of a model."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "CLAUDE"))}
    api = {"ANTHROPIC_BASE_URL": script.url, "ANTHROPIC_API_KEY": "a-key"}
    return plain | cloud.environment() | api | variables


async def agent(
    cloud: Sandbox, script: Script, *arguments: str, config: Path = EXAMPLE, **variables: str
) -> tuple[int, Report, str]:
    """Run the command; its exit code, its report (empty where there is none), and what it told meanwhile."""
    command = ("agent", *arguments, "--config", str(config), "--format", "json")
    done = await asyncio.to_thread(prepared.run, *command, environment=environment_for(cloud, script, **variables))
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, dict(json.loads(done.stdout)) if done.stdout else {}, done.stderr


def pages_of(request: Request) -> list[dict[str, Any]]:
    """The pages of the last check, in order: those that were asked for one right after another."""
    answers = [{} if each.get("is_error") else json.loads(_text(each)) for each in results(request)]
    checked = [each if {"findings", "verdict"} <= set(each) else None for each in answers]
    found: list[dict[str, Any]] = []
    for each in checked[next(at for at, each in enumerate(checked) if each) :]:
        if each is None or (found and not each["next_cursor"]):
            break
        found.insert(0, each)
    return found


def _text(result: dict[str, Any]) -> str:
    content = result["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    return text if text.startswith("{") else "{}"


def concluding(request: Request, **other: object) -> Use:
    """A report that says what the last check answered, and what is given instead."""
    pages = pages_of(request)
    findings = [each for page in pages for each in page["findings"]]
    first, root = pages[0], findings[0] if findings else None
    said = {
        "verdict": first["verdict"],
        "root_rule": root and root["rule"],
        "root_subject": root and root["subject"],
        "root_cause": root["summary"] if root else "nothing is wrong",
        "evidence": [{"subject": root["subject"], "says": root["summary"], "tool": "check_heartbeats"}] if root else [],
        "affected": sorted({each["subject"] for each in findings}),
        "not_checked": [f"{each['source']}: {each['reason']}" for each in first["gaps"]]
        + [each["reason"] for each in first["not_checked"]],
        "next_step": root["next_step"] if root else "none",
    }
    return Use("submit_report", said | other)


def next_page(request: Request) -> Use:
    """The rest of the findings, as far as there is one."""
    return Use("check_heartbeats", {"phase": "all", "cursor": pages_of(request)[-1]["next_cursor"]})


LOOK = Use("check_heartbeats", {"phase": "all"})
DAILY: list[Step] = [LOOK, concluding]
"""An assistant that looks once, and reports what it saw."""

LOOK_TWICE = Both((Use("count_heartbeats"), LOOK))
