"""Everything that is generated: ``make renew`` writes it, ``tests/house/test_generated.py`` checks that it is current.

A part stands between two lines of a file, such as ``<!-- generated: rules -->`` and ``<!-- end -->``. Without these
lines it is the whole file. ``make docs-tables`` writes only what stands between lines.
"""

import asyncio
import contextlib
import io
import json
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from checks import Report, check
from checks.formats.terminal import render_terminal
from checks.judge.rules import RULES
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from checks.text.show import show
from mcp_server.app import NAME, read_tools
from skills import pages, read_page
from validate_daily.sandbox import Clock, Sandbox, World, build, load_scenario, scenario_names

from support.mcp_world import client_of
from support.paths import ROOT, SCHEMA, TOOLS

NIGHT: Final = datetime(2026, 11, 23, 16, 45, 47, tzinfo=UTC)
"""When the README's example was seen."""


@dataclass(frozen=True)
class Part:
    """What is generated, and between which two lines of a file it stands."""

    file: Path
    make: Callable[[], str]
    start: str = ""
    end: str = "<!-- end -->"

    def renewed(self) -> str:
        """The whole file with this part made anew."""
        if not self.start:
            return self.make()
        before, start, rest = self.file.read_text("utf-8").partition(f"\n{self.start}\n")
        _, end, after = rest.partition(f"\n{self.end}\n")
        if not start or not end:
            raise ValueError(f"{self.file} has no lines {self.start!r} and {self.end!r}")
        return f"{before}{start}{self.make()}{end}{after}"


async def look(scenario: str, world: World | None = None) -> Report:
    """The report on one scenario, by the example settings."""
    patience = 2.0 if any(fault.hang for fault in load_scenario(scenario).faults) else 60.0
    async with Sandbox(world or build(scenario)) as cloud:
        pipeline = parse_settings(settings_text("example"), origin="example")
        return await check(pipeline, timeout=patience, environment=cloud.environment())


def row(scenario: str, report: Report) -> str:
    """What the README says of one scenario."""
    root, step = "none", "none"
    if report.root:
        root = f"`{report.root.rule}` of {show(report.root.subject)}"
        step = report.root.next_step
    return f"| `{scenario}` | {report.verdict} | {report.exit_code:d} | {root} | {step} |"


def scenarios() -> str:
    """The README's table of scenarios, made by checking each of them."""
    rows = [row(name, asyncio.run(look(name))) for name in scenario_names()]
    return "\n".join(["| scenario | verdict | exit | root finding | next step |", "|---|---|---|---|---|", *rows])


def example() -> str:
    """The README's example of a report. A sandbox has other ports each time: the example has always the same."""
    report = asyncio.run(look("tag-moved", build("tag-moved", clock=Clock(NIGHT, speed=0))))
    with contextlib.redirect_stdout(io.StringIO()):  # no terminal, so no colours
        text = render_terminal(report)
    for target, port in zip(report.targets, (42381, 37151, 44647, 37115), strict=True):
        text = text.replace(target.address, f"127.0.0.1:{port}")
    return f"```text\n{text}```"


def rules() -> str:
    """The README's table of rules, in their order: each module's docstring says it in short."""
    rows = [f"| `{rule.name}` | {_in_short(rule.judge)} |" for rule in RULES]
    return "\n".join(["| rule | severity |", "|---|---|", *rows])


def rule_names() -> str:
    """The names of all rules, for the settings: whether findings count what grows, and what they were called before."""
    rules = {rule.name: rule.counts is not None for rule in RULES}
    former = {old: rule.name for rule in RULES for old in rule.former_names}
    return json.dumps({"rules": rules, "former": former}, indent=2) + "\n"


def fingerprints() -> str:
    """What the fingerprint of each rule holds, and what an acceptance can count."""
    rows = [
        f"| `{rule.name}` | {rule.fault or 'nothing more'} | {rule.counts or 'nothing that grows'} |" for rule in RULES
    ]
    head = "| rule | its fingerprint holds rule, subject, region, and | its `count` is of |"
    return "\n".join([head, "|---|---|---|", *rows])


def references() -> str:
    """The skill's list of pages: each page begins with when to read it."""
    return "\n".join(
        f"- `{page}`: {_paragraph(read_page(f'validate-daily/{page}'), 'Read this ').removesuffix('.')}"
        for page in (page.removeprefix("validate-daily/") for page in pages())
        if page.startswith("references/")
    )


def allowed_tools() -> str:
    """The tools that a skill may call, by the names that a project and a plugin give them."""
    spellings = (f"mcp__{NAME}__", f"mcp__plugin_{NAME}_{NAME}__")
    names = [spelling + tool.name for spelling in spellings for tool in read_tools()]
    return textwrap.indent(textwrap.fill(" ".join(names), 118, break_on_hyphens=False), "  ")


def schema() -> str:
    """The shape of a report, published."""
    return json.dumps(Report.model_json_schema(mode="serialization"), indent=2) + "\n"


def tools() -> str:
    """All tools as they go over the wire."""

    async def listed() -> list[object]:
        async with client_of({}) as client:
            tools = (await client.list_tools()).tools
        return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]

    return json.dumps(asyncio.run(listed()), indent=2) + "\n"


def _in_short(judge: Callable[..., object]) -> str:
    return _paragraph(sys.modules[judge.__module__].__doc__ or "", "In short: ")


def _paragraph(text: str, start: str) -> str:
    """The paragraph that begins so, on one line and without its beginning."""
    return next(" ".join(each.split()) for each in text.split("\n\n") if each.startswith(start)).removeprefix(start)


README: Final = ROOT / "README.md"
SKILL: Final = ROOT / "skills" / "validate-daily" / "SKILL.md"
HANDOFF: Final = ROOT / "skills" / "session-handoff" / "SKILL.md"
RULE_NAMES: Final = ROOT / "checks" / "settings" / "rule_names.json"
EXCUSES: Final = ROOT / "docs" / "excuses.md"
PARTS: Final = (
    Part(README, example, "<!-- generated: example -->"),
    Part(README, rules, "<!-- generated: rules -->"),
    Part(README, scenarios, "<!-- generated: scenarios -->"),
    Part(SKILL, references, "<!-- generated: references -->"),
    Part(SKILL, allowed_tools, "allowed-tools: >-", "---"),
    Part(HANDOFF, allowed_tools, "allowed-tools: >-", "---"),
    Part(RULE_NAMES, rule_names),
    Part(EXCUSES, fingerprints, "<!-- generated: fingerprints -->"),
    Part(SCHEMA, schema),
    Part(TOOLS, tools),
)


if __name__ == "__main__":
    for part in PARTS:
        if part.start or sys.argv[1:] != ["tables"]:
            part.file.write_text(part.renewed(), "utf-8")
