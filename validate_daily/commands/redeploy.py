"""``validate-daily redeploy SERVICE``: make a service run its tag's digest, once a person has agreed to the plan."""

import argparse
import re
from typing import Final

from validate_daily.commands.shared import repair_command
from validate_daily.repairs.cloud_run.session import RunSession, open_run_session
from validate_daily.repairs.plans.cloud_run_plans import RedeployPlan
from validate_daily.repairs.stores.audit import open_audit

SUMMARY: Final = "plan, and with --apply carry out, a redeploy that is proved before it gets traffic"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``redeploy``."""
    repair_command.add_arguments(parser)
    parser.add_argument("service", metavar="SERVICE", help="a service that the settings name")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--tag", metavar="T", help="this tag's image (else the settings' tag, or the one deployed)")
    which.add_argument("--digest", type=_digest, metavar="D", help="the image of this digest, whatever tags say")
    parser.add_argument("--unpin", action="store_true", help="let pinned traffic follow the new revision")
    repair_command.add_bad(parser)
    repair_command.add_owner(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan a redeploy, and apply it if somebody agrees.

    Raises:
        UsageError: the settings or an argument cannot be used.
    """
    from validate_daily.repairs.cloud_run.redeploy import apply_redeploy, plan_redeploy  # noqa: PLC0415 - Google's packages load when used

    async def make(session: RunSession) -> RedeployPlan:
        which = {"tag": arguments.tag, "digest": arguments.digest}
        wishes = {"even_if_bad": arguments.even_if_bad, "override_owner": arguments.override_owner}
        async with open_audit(session.settings) as audit:
            return await plan_redeploy(
                session, arguments.service, **which, **wishes, unpin=arguments.unpin, audit=audit
            )

    return repair_command.run(
        arguments,
        repair_command.Repair(RedeployPlan, open_run_session, make, apply_redeploy, subject=arguments.service),
    )


def _digest(text: str) -> str:
    if re.fullmatch(r"sha256:[0-9a-f]{64}", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no digest: sha256: and 64 digits of base 16")
    return text
