"""``validate-daily demo``: incidents from verdict to cause, and the healthy end, on practice clouds of its own."""

import argparse
import asyncio
import secrets
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from checks import Report, Verdict, check
from checks.command import tell
from checks.console import progress_on_terminal
from checks.report import ExitCode
from checks.rules import rules_of
from checks.settings import Settings, parse_settings
from repairs import Approval, FileAudit, apply_cleanup, open_session, plan_cleanup
from repairs.seal import KEY_BYTES, KEY_VARIABLE
from repairs.session import local_principal
from repairs.telling import plan_lines, result_lines
from repairs.telling.documents import watch_lines
from repairs.watch import watch
from validate_daily.init import settings_text
from validate_daily.repair import Walk, walk

if TYPE_CHECKING:
    from sandbox import Sandbox

SUMMARY: Final = "walk an incident on a practice cloud, from verdict to cause, and see the healthy end"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``demo``."""
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Tell the story; exit with 0 only if every verdict in it is the right one."""
    del arguments
    from sandbox import running  # noqa: PLC0415 - grpc loads only to serve

    with running("proliferation") as cloud:
        _title("1. The morning check: far more documents than processors")
        morning = _look(cloud)
        tell(morning, "terminal")
        _title("2. An hour later: nothing was deployed")
        cloud.world.advance(timedelta(hours=1))
        later = _look(cloud)
        _tell_growth(morning, later)
    with running("silent-stop") as cloud:
        _title("3. Another night: every heartbeat is five days old")
        silent = _look(cloud)
        tell(silent, "terminal")
    with running("fix-pushed") as cloud, TemporaryDirectory() as folder:
        cloud.world.run.takes = timedelta(milliseconds=200)
        repaired = asyncio.run(_repair(cloud, Path(folder)))
        _title("6. The healthy end: the fix serves, one document a processor")
        cloud.world.advance(timedelta(hours=2))
        healthy = _look(cloud, phase="0.2")
        tell(healthy, "terminal")
        print(
            "\nThese are the heartbeats alone (--phase 0.2). A redeploy changes the image and no label, so a whole\n"
            "check still says, rightly, that labels claim older commits: the next deploy writes them anew."
        )
    verdicts = [report.verdict for report in (morning, later, silent, healthy)]
    if not repaired or verdicts != [Verdict.P0, Verdict.P0, Verdict.P1, Verdict.HEALTHY]:
        print(f"\nThe story went wrong: its verdicts are {', '.join(verdicts)}")
        return ExitCode.INTERNAL
    print("\nPractise yourself: validate-daily sandbox serve --scenario fix-pushed")
    return ExitCode.HEALTHY


async def _repair(cloud: "Sandbox", folder: Path) -> bool:
    """A cleanup alone, which grows back; then the whole loop, after which nothing does."""
    environment = {**cloud.environment(), KEY_VARIABLE: secrets.token_hex(KEY_BYTES)}
    text = f"{settings_text('example')}\n[writes]\nenabled = true\nunattended = true\n"
    text += f"[audit]\npath = '{folder / 'audit.jsonl'}'\n"
    settings = Settings(parse_settings(text, origin="the demo's settings"), folder / "demo.toml", named=True)

    async def time_passes(_seconds: float) -> None:
        cloud.world.advance(timedelta(minutes=30))

    _title("4. The fix is pushed, and only a cleanup is done: it grows back")
    async with open_session(settings, local_principal(), writing=True, environment=environment) as session:
        plan = await plan_cleanup(session, even_if_growing=True)
        print("\n".join([*plan_lines(plan)[:6], "..."]))
        # --even-if-growing is a person's word in a terminal; in this story the reader gives it.
        approval = Approval.given(plan, "terminal", plan.principal, plan.words)
        outcome = await apply_cleanup(session, plan, approval, FileAudit(folder / "audit.jsonl"))
        watched = await watch(session, timedelta(hours=2), waiting=time_passes)
    print("\n".join([*result_lines(outcome), *watch_lines(watched)]))

    _title("5. The true repair: fix the writers, prove it, clean up, and watch")
    how = Walk(
        settings,
        lambda plan: Approval.given(plan, "unattended", plan.principal),
        watch=timedelta(hours=2),
        environment=environment,
        waiting=time_passes,
    )
    print("$ validate-daily repair --unattended")
    waiting = await walk(how)
    print("... two hours pass ...\n$ validate-daily repair --unattended", flush=True)
    cloud.world.advance(timedelta(hours=2))
    return bool(watched.grown) and waiting == 1 and await walk(how) == 0


def _look(cloud: "Sandbox", phase: str | None = None) -> Report:
    pipeline = parse_settings(settings_text("example"), origin="the example settings")
    with progress_on_terminal() as progress:
        return asyncio.run(check(pipeline, rules=rules_of(phase), progress=progress, environment=cloud.environment()))


def _tell_growth(before: Report, after: Report) -> None:
    if before.census is None or after.census is None:
        return
    grown = after.census.total - before.census.total
    regrowth = next((finding for finding in after.findings if finding.rule == "regrowth"), None)
    print(f"{grown:,} documents more. A cleanup now would grow back; the cause is what writes them:")
    if regrowth:
        print(f"next: {regrowth.next_step}")


def _title(text: str) -> None:
    print(f"\n=== {text} ===\n", flush=True)
