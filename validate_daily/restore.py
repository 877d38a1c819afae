"""``validate-daily restore ID``: move what a cleanup moved to the trash back, never over a document."""

import argparse
from typing import Final, cast

from checks.settings import Settings
from repairs.approval import Approval
from repairs.audit import Audit
from repairs.outcome import Outcome
from repairs.plan import Plan, RestorePlan
from repairs.session import Session, local_principal
from validate_daily import repairing

SUMMARY: Final = "plan, and with --apply carry out, moving a cleanup's documents back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``restore``."""
    repairing.add_arguments(parser)
    parser.add_argument("cleanup", metavar="ID", help="the cleanup's id, as it and the audit tell")
    parser.add_argument(
        "--processor", action="append", default=[], metavar="NAME", help="only this processor's documents; repeatable"
    )


def run(arguments: argparse.Namespace) -> int:
    """Plan to undo a cleanup, and do it if somebody agrees.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """

    async def make(session: Session) -> Plan:
        from repairs.restore import plan_restore  # noqa: PLC0415 - Google's packages load when used

        processors = tuple(arguments.processor)
        return await plan_restore(session, arguments.cleanup, processors=processors, max_documents=arguments.max)

    return repairing.run(arguments, make, _unseal, _apply)


async def _apply(session: Session, plan: Plan, approval: Approval, audit: Audit, token: str) -> Outcome:
    from repairs.restore import apply_restore  # noqa: PLC0415 - Google's packages load when used

    return await apply_restore(session, cast("RestorePlan", plan), approval, audit, token=token)


def _unseal(token: str, settings: Settings) -> Plan:
    from repairs.seal import Binding, Seal, plan_key  # noqa: PLC0415 - the key is read where it is needed

    return Seal(plan_key()).open(token, RestorePlan, Binding.of(settings, local_principal()))
