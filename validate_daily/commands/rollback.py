"""``validate-daily rollback SERVICE``: move traffic back, or to a revision that is ready, once a person agreed."""

import argparse
from typing import Final

from validate_daily.commands.shared import repair_command
from validate_daily.repairs.cloud_run.session import RunSession, open_run_session
from validate_daily.repairs.plans.cloud_run_plans import RollbackPlan
from validate_daily.repairs.stores.audit import open_audit

SUMMARY: Final = "plan, and with --apply carry out, moving a service's traffic back: no new revision is made"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``rollback``."""
    repair_command.add_arguments(parser)
    parser.add_argument("service", metavar="SERVICE", help="a service that the settings name")
    parser.add_argument(
        "--to", metavar="REVISION", help="all traffic to this revision (else what the last redeploy found)"
    )
    repair_command.add_bad(parser)
    repair_command.add_owner(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan a rollback, and apply it if somebody agrees.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """
    from validate_daily.repairs.cloud_run.rollback import apply_rollback, plan_rollback  # noqa: PLC0415 - Google's packages load when used

    async def make(session: RunSession) -> RollbackPlan:
        wishes = {"even_if_bad": arguments.even_if_bad, "override_owner": arguments.override_owner}
        async with open_audit(session.settings) as audit:
            return await plan_rollback(session, arguments.service, audit=audit, to=arguments.to, **wishes)

    return repair_command.run(
        arguments,
        repair_command.Repair(RollbackPlan, open_run_session, make, apply_rollback, subject=arguments.service),
    )
