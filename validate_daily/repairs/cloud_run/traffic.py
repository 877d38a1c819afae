"""Shifts a service's traffic between revisions that are there, and looks until it is so."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from checks.evidence.deployments import State
from validate_daily.repairs.cloud_run.service_change import ServiceChange, failure_of
from validate_daily.repairs.cloud_run.service_state import ServiceState
from validate_daily.repairs.cloud_run.update import StoppedError, format_traffic
from validate_daily.repairs.plans.cloud_run_plans import RollbackPlan

_LOOK: Final = "find out who and why, look with validate-daily check, and plan again"


class TrafficShift(ServiceChange[RollbackPlan]):
    """One rollback on its way."""

    async def work(self) -> None:
        """Ask for the traffic, and wait until it is so."""
        if not self.begun:
            await self.want_traffic(self.plan.traffic, self.plan.relabel)
            self.steps.append(f"asked for the traffic: {format_traffic(self.plan.traffic)}")
        state = await self.wait(self._is_over, what="waiting for the traffic")
        if not self._is_done(state):
            met = ", ".join(f"{each.percent} % is met by {each.revision}" for each in state.serving) or "nothing serves"
            failed = state.service.state is State.FAILED
            raise StoppedError(f"the traffic did not follow: {failure_of(state.service) if failed else met}", _LOOK)
        self.steps.append(
            f"looked again: {', '.join(f'{each.percent} % met by {each.revision}' for each in state.serving)}"
        )

    def refuse_others(self, state: ServiceState) -> None:
        """Stop where the traffic that is wanted is another."""
        if state.wanted != self.plan.traffic:
            raise StoppedError(f"somebody else moved the traffic meanwhile: {format_traffic(state.wanted)}", _LOOK)

    @property
    def revision(self) -> str | None:
        """The revision that gets the first part of the traffic."""
        return next((each.revision or self.plan.ready for each in self.plan.traffic if each.percent), None)

    def _is_over(self, state: ServiceState) -> bool:
        return self._is_done(state) or state.settled

    def _is_done(self, state: ServiceState) -> bool:
        """Whether every share is where the plan wants it, whatever the latest is by now: it may be the bad one."""
        expected = shares((each.revision or self.plan.ready, each.percent) for each in self.plan.traffic)
        return not state.service.reconciling and expected == shares(
            (each.revision, each.percent) for each in state.serving
        )


def shares(parts: Iterable[tuple[str, int]]) -> Counter[str]:
    """How many percent each revision gets, those above none.

    Args:
        parts: revisions and their percentages; a revision may come several times.
    """
    found: Counter[str] = Counter()
    for name, percent in parts:
        found[name] += percent
    return +found
