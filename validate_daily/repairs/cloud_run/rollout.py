"""Rolls a redeploy out: a revision without traffic, its proof, the traffic, and a last look that says what serves."""

from typing import Final, NoReturn

from checks.evidence.deployments import Revision, State
from checks.sources.cloud_run.client import Message
from checks.text.show import show
from validate_daily.repairs.cloud_run.containers import ambiguity, place_of, update_command
from validate_daily.repairs.cloud_run.images.commit_label import write_label
from validate_daily.repairs.cloud_run.plan_trace import PlanTrace
from validate_daily.repairs.cloud_run.revision_logs import last_lines
from validate_daily.repairs.cloud_run.rollout_effect import effect_of
from validate_daily.repairs.cloud_run.service_change import ServiceChange, failure_of
from validate_daily.repairs.cloud_run.service_state import ServiceState, container_named, is_ready, read_state
from validate_daily.repairs.cloud_run.update import (
    StoppedError,
    all_to_latest,
    format_traffic,
    hold_traffic,
)
from validate_daily.repairs.plans.cloud_run_plans import RedeployPlan
from validate_daily.repairs.plans.errors import UnseenError
from validate_daily.repairs.stores.desired_state import NONCE, changed_copy, set_traffic

_CONTAIN: Final = "contain it with validate-daily rollback, and plan again"


class RedeployChange(ServiceChange[RedeployPlan]):
    """One redeploy on its way."""

    async def work(self) -> None:
        """A revision without traffic, its proof, the traffic, and a last look."""
        await self._create()
        revision = await self._prove()
        await self._shift(revision)
        await self._settle(revision)
        self.effect = await effect_of(self.session, revision)

    def refuse_others(self, state: ServiceState) -> None:
        """Stop where the template is another's, or the service is newer than this plan left it."""
        ours = PlanTrace.of(self.plan).is_template_of(state)
        if ours and state.version.generation <= self.generation:
            return
        did = "changed" if ours else "deployed"
        raise StoppedError(
            f"somebody else {did} {self.plan.service} meanwhile (generation {state.version.generation})",
            "find out who and why, and plan again",
        )

    @property
    def revision(self) -> str | None:
        """The revision that was made for this plan, once there is one."""
        ours = _ours(self.state, self.plan)
        return ours.name if ours else None

    @property
    def digest(self) -> str:
        """What it shall run."""
        return self.plan.digest

    async def _create(self) -> None:
        if self.begun:
            self.steps.append("the template was this plan's already")
            return
        place = self._place()
        allowed = (
            f"template.containers[{place}].image",
            "template.revision",
            f"template.labels.{NONCE}",
            *([f"template.labels.{self.plan.template_label.label}"] if self.plan.template_label else []),
            "traffic",
        )
        wanted = self._with_image(place)
        await self.send(wanted, "template", "traffic", allowed=allowed, shows=PlanTrace.of(self.plan).is_template_of)
        self.steps.append("asked for a revision without traffic")

    def _place(self) -> int:
        """Where the container stands whose image is replaced."""
        containers, repository = self.state.message.template.containers, self.plan.repository
        named = container_named(self.session.settings.pipeline, self.state.service)
        place = place_of(containers, repository, named)
        if place is None:
            what = f"the template of the service {self.plan.service}"
            reason = ambiguity(what, containers, repository, named) or what
            raise StoppedError(reason, update_command(self.plan.resource))
        return place

    def _with_image(self, place: int) -> Message:
        def change(message: Message) -> None:
            message.template.containers[place].image = self.plan.image
            message.template.revision = ""
            message.template.labels[NONCE] = self.plan.id
            write_label(self.plan.template_label, message.template.labels)
            set_traffic(message, hold_traffic(self.state.wanted, self.state.service.ready))

        return changed_copy(self.state.message, change)

    async def _prove(self) -> Revision:
        """The new revision, once it is ready and runs the digest."""
        state = await self.wait(self._has_ended, what="waiting for the new revision")
        revision = _ours(state, self.plan)
        if revision is None or not is_ready(revision):
            await self._give_up(revision)
        if not self.plan.runs_it(revision.image.digest):
            raise StoppedError(
                f"{revision.name} runs {show(revision.image.reference, limit=300)}, which is not what was planned",
                "find out why the registry and Cloud Run disagree; traffic was not moved",
            )
        self.steps.append(f"{revision.name} is ready, and runs {self.plan.digest[:19]}")
        return revision

    def _has_ended(self, state: ServiceState) -> bool:
        revision = _ours(state, self.plan)
        return state.settled and revision is not None and revision.ready in {State.SUCCEEDED, State.FAILED}

    async def _give_up(self, revision: Revision | None) -> NoReturn:
        reason = f"the new revision is not ready: {failure_of(self.state.service)}"
        if revision is not None:
            reason = f"{revision.name} is not ready: {failure_of(revision)}"
            self.lines = await last_lines(self.session, revision)
        await self._put_back()
        raise StoppedError(reason, "mend the image, push it, and plan again")

    async def _put_back(self) -> None:
        """What served before serves on; where that is the latest ready one, traffic may follow the latest again."""
        before = {each.revision for each in self.plan.serving}
        if self.state.wanted == self.plan.wanted:
            return
        if before != {self.state.service.ready}:
            self.steps.append(f"traffic stays held: {format_traffic(self.state.wanted)}")
            return
        try:
            await self.want_traffic(self.plan.wanted)
            self.state = await read_state(self.session, self.plan.resource)
            self.steps.append(f"traffic as before: {format_traffic(self.plan.wanted)}")
        except (StoppedError, UnseenError) as error:
            self.steps.append(
                f"traffic stays held ({format_traffic(self.state.wanted)}): {show(str(error), limit=300)}"
            )

    async def _shift(self, revision: Revision) -> None:
        final = all_to_latest(self.plan.wanted) if self.plan.moves_traffic else self.plan.wanted
        relabel = self.plan.relabel
        labelled = relabel is None or self.state.message.labels.get(relabel.label) == relabel.after
        if self.state.wanted != final or not labelled:
            await self.want_traffic(final, relabel)
            self.steps.append(f"asked for the traffic: {format_traffic(final)}, which is {revision.name}")

    async def _settle(self, revision: Revision) -> None:
        def is_over(state: ServiceState) -> bool:
            return state.settled and (state.service.state is State.FAILED or self._is_done(state, revision))

        state = await self.wait(is_over, what="waiting for the traffic")
        if not self._is_done(state, revision):
            raise StoppedError(f"the traffic did not follow: {failure_of(state.service)}", _CONTAIN)
        self.steps.append("looked again: every share of the traffic meets it")

    def _is_done(self, state: ServiceState, revision: Revision) -> bool:
        service = state.service
        return service.created == service.ready == revision.name and state.serves(self.plan.runs_it)


def _ours(state: ServiceState, plan: RedeployPlan) -> Revision | None:
    """The revision that was made for a plan: the oldest that bears its label, which later ones inherit."""
    found = (each for each in state.service.revisions if state.nonces.get(each.name) == plan.id)
    return min(found, key=lambda each: each.created_at, default=None)
