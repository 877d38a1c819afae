"""Whose deploys the subject of a plan is: what a plan says of it, and why it refuses to be started."""

from collections.abc import Sequence
from typing import Final

from checks.evidence.base import Evidence, Untrusted
from checks.evidence.deployments import Job, Service
from checks.evidence.owners import CLOUD_BUILD, CLOUD_DEPLOY, FUNCTIONS, TERRAFORM, Owner, OwnerEvidence
from checks.settings.deployments import JobSettings, ServiceSettings
from checks.settings.pipeline import Pipeline
from checks.text.show import show
from validate_daily.repairs.plans.errors import RefusedError

_SHOWN: Final = 300
_NOBODY: Final = "none"
_HOW: Final = {
    TERRAFORM: "set the image in its Terraform configuration, and let that apply it",
    CLOUD_DEPLOY: "make a release of its delivery pipeline: gcloud deploy releases create",
    CLOUD_BUILD: "run its build trigger: gcloud builds triggers run",
    FUNCTIONS: "deploy the function by itself, from its source: gcloud functions deploy NAME --gen2",
}


class Ownership(Evidence):
    """Another tool's hold on a service or job.

    Attributes:
        subject: the service or job.
        owner: the tool, and what says so.
        command: how it deploys, as the settings have it; None where they do not say.
        how: the same in words.
        client: the program that changed it last.
    """

    subject: str
    owner: Owner
    command: Untrusted | None
    how: str
    client: Untrusted | None = None

    def __str__(self) -> str:
        return f"{self.subject} is deployed by {show(str(self.owner), limit=_SHOWN)}"

    @property
    def step(self) -> str:
        """How the owner deploys it."""
        return show(self.command, limit=500) if self.command else self.how


def ownership_of(pipeline: Pipeline, one: Service | Job) -> Ownership | None:
    """Whose deploys a service or job is, and how its owner deploys it; None where no tool owns it.

    Args:
        pipeline: the settings, whose ``managed_by`` counts before what labels say; a function stays one.
        one: as it was read.
    """
    named: Sequence[ServiceSettings | JobSettings] = pipeline.services if isinstance(one, Service) else pipeline.jobs
    same = [each for each in named if each.name == one.name]
    entry = next((each for each in same if (each.region or pipeline.pipeline.region) == one.region), None)
    owner, entry = one.owner, entry or next(iter(same), None)
    if entry and entry.managed_by and not (owner and owner.is_function):
        by = Owner(tool=entry.managed_by, kind=OwnerEvidence.SETTINGS, says="managed_by")
        owner = None if entry.managed_by.lower() == _NOBODY else by
    if owner is None:
        return None
    command = entry.deploy_command if entry else None
    how = _HOW.get(owner.tool, f"deploy it with {owner.tool}")
    return Ownership(subject=one.name, owner=owner, command=command, how=how, client=one.client)


def refusal_of(owned: Sequence[Ownership], *, override: bool, again: str) -> RefusedError | None:
    """Why a plan may not be started past the owners of what it changes; None where it may.

    Args:
        owned: what another tool deploys.
        override: a person knows that the owner's next run undoes it, and wants it nevertheless.
        again: the command that plans the same with that said.
    """
    functions = [each for each in owned if each.owner.is_function]
    standing = functions or ([] if override else list(owned))
    if not standing:
        return None
    first, more = standing[0], len(standing) - 1
    others = f", and so are {', '.join(each.subject for each in standing[1:])}" if more else ""
    reason = f"{first}{others}: what is changed past it, its next run undoes; nothing was changed"
    if functions:
        return RefusedError(reason, f"a function is repaired by its own deploy only: {first.step}")
    return RefusedError(reason, f"{first.step}; to change it nevertheless: {again} --override-owner")
