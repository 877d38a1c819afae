"""``validate-daily restore ID``: move what a cleanup moved to the trash back, never over a document."""

import argparse
from typing import Final

from validate_daily.commands.shared import repair_command
from validate_daily.repairs.documents.session import DocumentSession, open_session
from validate_daily.repairs.plans.plan import RestorePlan

SUMMARY: Final = "plan, and with --apply carry out, moving a cleanup's documents back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``restore``."""
    repair_command.add_arguments(parser)
    repair_command.add_limit(parser)
    parser.add_argument("cleanup", metavar="ID", help="the cleanup's id, as it and the audit tell")
    parser.add_argument(
        "--processor", action="append", default=[], metavar="NAME", help="only this processor's documents; repeatable"
    )


def run(arguments: argparse.Namespace) -> int:
    """Plan to undo a cleanup, and do it if somebody agrees.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """
    from validate_daily.repairs.documents.restore import apply_restore, plan_restore  # noqa: PLC0415 - Google's packages load when used

    async def make(session: DocumentSession) -> RestorePlan:
        processors = tuple(arguments.processor)
        return await plan_restore(session, arguments.cleanup, processors=processors, max_documents=arguments.max)

    return repair_command.run(arguments, repair_command.Repair(RestorePlan, open_session, make, apply_restore))
