"""The README's table of scenarios, made by checking each of them."""

import asyncio
from collections.abc import Iterable

from checks import Report, check
from checks.settings.file import parse_settings
from checks.text.show import show
from validate_daily.commands.init import settings_text
from validate_daily.sandbox import Sandbox, build

SECONDS: dict[str, float] = dict.fromkeys(("hanging", "hanging-run", "hanging-logging", "hanging-registry"), 2.0)


async def look(scenario: str) -> Report:
    """The report on one scenario, by the example settings."""
    async with Sandbox(build(scenario)) as cloud:
        pipeline = parse_settings(settings_text("example"), origin="example")
        return await check(pipeline, timeout=SECONDS.get(scenario, 60.0), environment=cloud.environment())


def row(scenario: str, report: Report) -> str:
    """One line of the table."""
    root, step = "none", "none"
    if report.root:
        root = f"`{report.root.rule}` of {show(report.root.subject)}"
        step = report.root.next_step
    return f"| `{scenario}` | {report.verdict} | {report.exit_code:d} | {root} | {step} |"


def table(rows: Iterable[str]) -> str:
    """The whole table."""
    return "\n".join(["| scenario | verdict | exit | root finding | next step |", "|---|---|---|---|---|", *rows])


if __name__ == "__main__":
    from validate_daily.sandbox import scenario_names

    print(table(row(name, asyncio.run(look(name))) for name in scenario_names()))
