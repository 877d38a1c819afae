"""A change of one service on its way: its newest look, its steps, and what became of it, whatever Cloud Run does."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from checks.evidence.deployments import Revision, Service
from checks.sources.cloud_run.client import Message
from validate_daily.repairs.cloud_run.images.commit_label import write_label
from validate_daily.repairs.cloud_run.poll import UNANSWERED, wait_until
from validate_daily.repairs.cloud_run.service_state import ServiceState, read_state
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.cloud_run.update import StoppedError, change_service
from validate_daily.repairs.plans.cloud_run_outcomes import Rollout
from validate_daily.repairs.plans.cloud_run_plans import Relabel, ServicePlan, Traffic
from validate_daily.repairs.plans.errors import UnseenError
from validate_daily.repairs.stores.desired_state import changed_copy, set_traffic

P = TypeVar("P", bound=ServicePlan)


@dataclass(slots=True)
class ServiceChange(ABC, Generic[P]):
    """One plan of a service while it is applied.

    Attributes:
        session: one that is writing.
        plan: what somebody agreed to.
        state: the newest look.
        begun: the service was found as this plan had left it when it was broken off.
        resumed: the plan had been started before.
        steps: what was done, in its order.
        lines: what the new revision said, where it failed.
        effect: what was seen of it at work, where it serves.
        generation: the newest that this plan knows of: what is newer is somebody else's.
    """

    session: RunSession
    plan: P
    state: ServiceState
    begun: bool
    resumed: bool
    steps: list[str] = field(default_factory=list[str])
    lines: tuple[str, ...] = ()
    effect: tuple[str, ...] = ()
    generation: int = field(init=False)

    def __post_init__(self) -> None:
        """Nothing was changed yet."""
        self.generation = self.state.version.generation

    async def run(self) -> Rollout:
        """All of it. Raises nothing for what Cloud Run does: the result says it."""
        try:
            await self.work()
        except StoppedError as stopped:
            return await self._result(done=stopped.done, reason=stopped.reason, next_step=stopped.next_step)
        except UnseenError as error:
            onward = f"{error.next_step}; go on with --resume {self.plan.id}"
            return await self._result(done=None, reason=error.reason, next_step=onward)
        return await self._result(done=True)

    @abstractmethod
    async def work(self) -> None:
        """Make the change, and see it through.

        Raises:
            StoppedError: it came to its end before it was whole.
            UnseenError: the service could not be read.
        """

    @abstractmethod
    def refuse_others(self, state: ServiceState) -> None:
        """Stop where somebody else has changed what this plan is about.

        Raises:
            StoppedError: they have.
        """

    @property
    @abstractmethod
    def revision(self) -> str | None:
        """The revision that the plan is about."""

    @property
    def digest(self) -> str | None:
        """What was to serve; None where only traffic was to move."""
        return None

    async def wait(
        self, holds: Callable[[ServiceState], bool], *, what: str, acknowledged: bool = True
    ) -> ServiceState:
        """Look until something holds; only a few times where nobody acknowledged what it waits for."""

        def holds_and_ours(state: ServiceState) -> bool:
            self.state = state
            if acknowledged:
                self.refuse_others(state)
            return holds(state)

        looks = None if acknowledged else UNANSWERED
        waiting = f"{self.plan.service}: {what}"
        return await wait_until(self.session, self.plan.resource, holds_and_ours, what=waiting, looks=looks)

    async def want_traffic(self, traffic: Iterable[Traffic], relabel: Relabel | None = None) -> None:
        """Ask for traffic, and for nothing else but the label that claims a commit."""
        target = tuple(traffic)

        def change(message: Message) -> None:
            set_traffic(message, target)
            write_label(relabel, message.labels)
            # It is not in the mask; a name that another revision has would be refused all the same.
            message.template.revision = ""

        wanted = changed_copy(self.state.message, change)
        parts = ("traffic",) if relabel is None else ("traffic", "labels")
        may = ("traffic", "template.revision", *([f"labels.{relabel.label}"] if relabel else []))
        await self.send(wanted, *parts, allowed=may, shows=lambda state: state.wanted == target)

    async def send(
        self, wanted: Message, *parts: str, allowed: Iterable[str], shows: Callable[[ServiceState], bool]
    ) -> None:
        """Change parts of the service, and look for the change where nobody acknowledges it.

        Args:
            wanted: the service as it is to be.
            parts: what of it is sent.
            allowed: the fields that may differ.
            shows: whether the change is to be seen.

        Raises:
            StoppedError: it was not changed, or nothing shows that it was.
        """
        taken = await change_service(self.session.store, self.state.message, wanted, *parts, allowed=allowed)
        if taken.filled is not None:
            self.steps.append(taken.filled)
        if taken.given:
            self.generation = max(taken.generation, self.state.version.generation + 1)
        else:
            await self.wait(shows, what="looking for the change", acknowledged=False)
            self.generation = self.state.version.generation

    async def _result(self, *, done: bool | None, reason: str | None = None, next_step: str | None = None) -> Rollout:
        unseen: tuple[str, ...] = ()
        try:
            self.state = await read_state(self.session, self.plan.resource)
        except UnseenError as error:
            unseen = (f"the service after the change: {error}",)
        return Rollout(
            plan=self.plan.id,
            repair=self.plan.repair,
            resumed=self.resumed,
            unseen=unseen,
            service=self.plan.service,
            done=done,
            reason=reason,
            digest=self.digest,
            revision=self.revision,
            created=self.state.service.created,
            ready=self.state.service.ready,
            serving=self.state.serving,
            wanted=self.state.wanted,
            steps=tuple(self.steps),
            lines=self.lines,
            effect=self.effect,
            next_step=next_step,
        )


def failure_of(failed: Service | Revision) -> str:
    """Cloud Run's own words for a failure."""
    return ": ".join(filter(None, (failed.reason, failed.message))) or "Cloud Run gives no reason"
