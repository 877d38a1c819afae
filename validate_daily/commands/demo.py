"""``validate-daily demo``: incidents from verdict to cause, and the healthy end, on practice clouds of its own."""

import argparse
import asyncio
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from checks import Report, Verdict, check
from checks.cli.check import print_report
from checks.cli.console import progress_on_terminal
from checks.judge.deployed.proofs import Outcome
from checks.judge.rules import regrowth, rules_of
from checks.judge.verdict import ExitCode
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from checks.text.plural import counted

if TYPE_CHECKING:
    from validate_daily.sandbox import Sandbox

SUMMARY: Final = "walk an incident on a practice cloud, from verdict to cause, and see the healthy end"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``demo``."""
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Tell the story; exit with 0 only if every verdict in it is the right one."""
    del arguments
    from validate_daily.commands.shared.demo_repair import repair  # noqa: PLC0415 - Google's packages load when used
    from validate_daily.sandbox import running  # noqa: PLC0415 - grpc loads only to serve

    with running("proliferation") as cloud:
        _title("1. The morning check: far more documents than processors")
        morning = _look(cloud)
        print_report(morning, "terminal")
        _title("2. An hour later: nothing was deployed")
        cloud.world.advance(timedelta(hours=1))
        later = _look(cloud)
        _tell_growth(morning, later)
    with running("silent-stop") as cloud:
        _title("3. Another night: every heartbeat is five days old")
        silent = _look(cloud)
        print_report(silent, "terminal")
    with running("build-cache") as cloud:
        _title("4. A deploy whose label, tag and digest agree: the build cache kept the old file")
        cached = _probe(cloud, "nba-phase3-analytics-processors")
    with running("fix-pushed") as cloud, TemporaryDirectory() as folder:
        cloud.world.run.takes = timedelta(milliseconds=200)
        repaired = asyncio.run(repair(cloud, Path(folder), _title))
        _title("7. The healthy end: the fix serves, one document a processor")
        cloud.world.advance(timedelta(hours=2))
        healthy = _look(cloud, phase="0.2")
        print_report(healthy, "terminal")
        print(
            "\nThese are the heartbeats alone (--phase 0.2). A whole check still names what the repair left: its step\n"
            "is to build that service anew, and to deploy it."
        )
    verdicts = [*(report.verdict for report in (morning, later, silent)), cached, healthy.verdict]
    expected = [Verdict.P0, Verdict.P0, Verdict.P1, Outcome.CONTRADICTED, Verdict.HEALTHY]
    if not repaired or verdicts != expected:
        print(f"\nThe story went wrong: its verdicts are {', '.join(verdicts)}")
        return ExitCode.INTERNAL
    print("\nPractise yourself: validate-daily sandbox serve --scenario fix-pushed")
    return ExitCode.HEALTHY


def _look(cloud: "Sandbox", phase: str | None = None) -> Report:
    pipeline = parse_settings(settings_text("example"), origin="the example settings")
    with progress_on_terminal() as progress:
        return asyncio.run(check(pipeline, rules=rules_of(phase), progress=progress, environment=cloud.environment()))


def _probe(cloud: "Sandbox", service: str) -> Outcome:
    """Look into what a service serves, as ``validate-daily probe`` does, and tell it."""
    from checks.ask.deployed_code import probe  # noqa: PLC0415 - loads only when used
    from checks.formats.deployed_code import render_probe  # noqa: PLC0415 - the same

    pipeline = parse_settings(settings_text("example"), origin="the example settings")
    report = asyncio.run(probe(pipeline, subject=service, environment=cloud.environment()))
    print(f"$ validate-daily probe {service}")
    print(render_probe(report, {}), end="")
    return report.result


def _tell_growth(before: Report, after: Report) -> None:
    if before.census is None or after.census is None:
        return
    grown = after.census.total - before.census.total
    grows = next((finding for finding in after.findings if finding.rule == regrowth.RULE.name), None)
    print(f"{counted(grown, 'document')} more. A cleanup now would grow back; the cause is what writes them:")
    if grows:
        print(f"next: {grows.next_step}")


def _title(text: str) -> None:
    print(f"\n=== {text} ===\n", flush=True)
