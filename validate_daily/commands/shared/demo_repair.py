"""The demo's chapters that change things: on a practice cloud of its own, with settings and an audit of its own."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from checks.settings.file import Settings, parse_settings
from checks.settings.template import settings_text
from validate_daily.commands.shared.loop_walk import LoopRun, walk
from validate_daily.repairs.documents.cleanup import apply_cleanup, plan_cleanup
from validate_daily.repairs.documents.session import open_session
from validate_daily.repairs.loop.watch import watch
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.seal import KEY_BYTES, KEY_VARIABLE
from validate_daily.repairs.plans.session import local_principal
from validate_daily.repairs.stores.audit_file import FileAudit
from validate_daily.repairs.words import plan_lines, result_lines
from validate_daily.repairs.words.documents import watch_lines

if TYPE_CHECKING:
    from validate_daily.sandbox import Sandbox


async def repair(cloud: "Sandbox", folder: Path, title: Callable[[str], None]) -> bool:
    """A cleanup alone, which grows back; then the whole loop, after which nothing does.

    Args:
        cloud: a practice cloud whose fix is pushed and not deployed.
        folder: for the audit.
        title: announces a chapter.

    Returns:
        Whether the story went as it should.
    """
    environment = {**cloud.environment(), KEY_VARIABLE: secrets.token_hex(KEY_BYTES)}
    text = f"{settings_text('example')}\n[writes]\nenabled = true\nunattended = true\n"
    text += f"[audit]\npath = '{folder / 'audit.jsonl'}'\n"
    settings = Settings(parse_settings(text, origin="the demo's settings"), folder / "demo.toml", named=True)

    async def time_passes(_seconds: float) -> None:
        cloud.world.advance(timedelta(minutes=30))

    title("5. The fix is pushed, and only a cleanup is done: it grows back")
    async with open_session(settings, local_principal(), writing=True, environment=environment) as session:
        plan = await plan_cleanup(session, even_if_growing=True)
        print("\n".join([*plan_lines(plan)[:6], "..."]))
        # --even-if-growing is a person's word in a terminal; in this story the reader gives it.
        approval = Approval.given(plan, "terminal", plan.principal, plan.words)
        outcome = await apply_cleanup(session, plan, approval, FileAudit(folder / "audit.jsonl"))
        watched = await watch(session, timedelta(hours=2), waiting=time_passes)
    print("\n".join([*result_lines(outcome), *watch_lines(watched)]))

    title("6. The true repair: fix the writers, prove it, clean up, and watch")
    how = LoopRun(
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
    ended = await walk(how)
    return bool(watched.grown) and (waiting.loop, ended.loop) == (1, 0)
