"""``validate-daily cleanup``: move run-scoped documents to the trash, once a person has agreed to the plan."""

import argparse
from typing import Final

from repairs.approval import Approval
from repairs.audit import Audit
from repairs.outcome import Outcome
from repairs.plan import CleanupPlan
from repairs.session import Session, open_session
from validate_daily import repairing

SUMMARY: Final = "plan, and with --apply carry out, moving run-scoped documents to the trash"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``cleanup``."""
    repairing.add_arguments(parser)
    repairing.add_limit(parser)
    parser.add_argument(
        "--even-if-growing", action="store_true", help="although something still writes run-scoped ids: it grows back"
    )


def run(arguments: argparse.Namespace) -> int:
    """Plan a cleanup, and apply it if somebody agrees.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """

    async def make(session: Session) -> CleanupPlan:
        from repairs.cleanup import plan_cleanup  # noqa: PLC0415 - Google's packages load when used

        return await plan_cleanup(session, even_if_growing=arguments.even_if_growing, max_documents=arguments.max)

    return repairing.run(arguments, repairing.Repair(CleanupPlan, open_session, make, _apply))


async def _apply(session: Session, plan: CleanupPlan, approval: Approval, audit: Audit, token: str) -> Outcome:
    from repairs.cleanup import apply_cleanup  # noqa: PLC0415 - Google's packages load when used

    return await apply_cleanup(session, plan, approval, audit, token=token)
