"""``validate-daily cleanup``: move run-scoped documents to the trash, once a person has agreed to the plan."""

import argparse
import asyncio
import sys
from datetime import timedelta
from typing import Final

from checks.cli.console import progress_on_terminal
from checks.formats.json import render_evidence
from checks.settings.file import load_settings
from checks.sources.progress import Progress
from validate_daily.commands.shared import repair_command
from validate_daily.repairs.documents.session import DocumentSession, open_session
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit
from validate_daily.repairs.plans.errors import RepairError
from validate_daily.repairs.plans.outcome import DocumentsOutcome
from validate_daily.repairs.plans.plan import CleanupPlan
from validate_daily.repairs.plans.regrowth import WatchResult
from validate_daily.repairs.plans.session import local_principal
from validate_daily.repairs.words.documents import watch_lines

SUMMARY: Final = "plan, and with --apply carry out, moving run-scoped documents to the trash"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``cleanup``."""
    repair_command.add_arguments(parser)
    repair_command.add_limit(parser)
    parser.add_argument(
        "--even-if-growing", action="store_true", help="although something still writes run-scoped ids: it grows back"
    )
    parser.add_argument(
        "--watch",
        type=repair_command.duration,
        metavar="2m",
        help="afterwards, or alone: watch for so long, and say what grew back and who wrote it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Plan a cleanup, and apply it if somebody agrees; or only watch.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """
    if arguments.watch:
        arguments.timeout += arguments.watch.total_seconds()
    if arguments.watch and not (arguments.apply or arguments.approve or arguments.resume):
        return _watch_only(arguments)

    from validate_daily.repairs.documents.cleanup import apply_cleanup, plan_cleanup  # noqa: PLC0415 - Google's packages load when used

    async def make(session: DocumentSession) -> CleanupPlan:
        return await plan_cleanup(session, even_if_growing=arguments.even_if_growing, max_documents=arguments.max)

    async def apply(
        session: DocumentSession, plan: CleanupPlan, approval: Approval, audit: Audit, *, token: str | None = None
    ) -> DocumentsOutcome:
        outcome = await apply_cleanup(session, plan, approval, audit, token=token)
        return outcome.model_copy(update={"watched": await _watch(session, arguments.watch)})

    return repair_command.run(arguments, repair_command.Repair(CleanupPlan, open_session, make, apply))


async def _watch(session: DocumentSession, how_long: timedelta | None) -> WatchResult | None:
    if how_long is None:
        return None
    from validate_daily.repairs.loop.watch import watch  # noqa: PLC0415 - Google's packages load when used

    return await watch(session, how_long)


def _watch_only(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)

    async def look(progress: Progress) -> WatchResult | None:
        who = local_principal()
        async with open_session(settings, who, timeout=arguments.timeout, progress=progress) as session:
            return await _watch(session, arguments.watch)

    try:
        with progress_on_terminal() as progress:
            watched = asyncio.run(look(progress))
    except RepairError as error:
        print(f"validate-daily: {error}", file=sys.stderr)
        return error.exit_code
    if watched is None:
        return 0
    if arguments.format == "json":
        sys.stdout.write(render_evidence(watched))
    else:
        print("\n".join(watch_lines(watched)))
    return watched.exit_code
