"""An image that is known to be bad is put into service only by somebody who says so: it may be the only way back."""

import shlex

from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.plans.cloud_run_plans import ServicePlan
from validate_daily.repairs.plans.errors import RefusedError


def refuse_bad(session: RunSession, plan: ServicePlan, *, even_if_bad: bool, step: str | None) -> None:
    """Refuse a plan whose image is known to be bad.

    Args:
        session: whose settings.
        plan: says why it is bad, if it is.
        even_if_bad: somebody wants it nevertheless.
        step: what to do instead.

    Raises:
        RefusedError: it is, and nobody wants it nevertheless. It says the command for it.
    """
    if even_if_bad or not plan.bad:
        return
    config = ("--config", str(session.settings.path)) if session.settings.named else ()
    command = shlex.join(("validate-daily", *plan.arguments, *config, "--apply"))
    instead = step or f"build {plan.service} anew with what it lacks, and push it"
    raise RefusedError(
        f"what {plan.service} would run is known to be bad: {'; '.join(plan.bad)}; nothing was changed",
        f"{instead}; if it is the only way back: {command}",
    )
