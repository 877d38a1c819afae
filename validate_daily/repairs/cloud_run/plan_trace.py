"""Whether a service is as a redeploy left it. Its label alone does not tell: whoever deploys later inherits it."""

from dataclasses import dataclass
from typing import Final, Self

from pydantic import ValidationError

from validate_daily.repairs.cloud_run.service_state import ServiceState
from validate_daily.repairs.plans.audit_event import Event
from validate_daily.repairs.plans.cloud_run_plans import RedeployPlan, Version

_CHANGES: Final = 2
"""What a redeploy asks for: the template, and then the traffic."""


@dataclass(frozen=True, slots=True)
class PlanTrace:
    """What a redeploy leaves in a service.

    Attributes:
        plan: its id, which the template's label bears.
        image: what it wrote into the template.
        generation: that of the service before; None where an earlier version did not write it down.
    """

    plan: str
    image: str
    generation: int | None

    @classmethod
    def of(cls, plan: RedeployPlan) -> Self:
        """The trace of a plan."""
        return cls(plan.id, plan.image, plan.version.generation)

    @classmethod
    def of_event(cls, event: Event) -> Self | None:
        """The trace of a redeploy that the audit knows of; None where its line does not tell enough."""
        evidence = event.evidence
        repository, digest = evidence.get("repository"), evidence.get("digest")
        if not (event.plan and isinstance(repository, str) and isinstance(digest, str)):
            return None
        try:
            generation = Version.model_validate(evidence.get("version")).generation
        except ValidationError:
            generation = None
        return cls(event.plan, f"{repository}@{digest}", generation)

    def is_template_of(self, state: ServiceState) -> bool:
        """Whether the template is still that of the plan: its label and its image."""
        images = (each.image for each in state.message.template.containers)
        return state.nonce == self.plan and self.image in images

    def is_untouched(self, state: ServiceState) -> bool:
        """Whether nobody changed the service since the plan did."""
        if not self.is_template_of(state):
            return False
        return self.generation is None or state.version.generation <= self.generation + _CHANGES
