"""Shifts a service's traffic between revisions that are there, and looks until it is so."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from checks.evidence.deployments import State
from validate_daily.repairs.cloud_run.service_change import AtWork, why
from validate_daily.repairs.cloud_run.service_state import Seen
from validate_daily.repairs.cloud_run.update import StoppedError, shares
from validate_daily.repairs.plans.cloud_run_plans import RollbackPlan

_LOOK: Final = "find out who and why, look with validate-daily check, and plan again"


class Shifting(AtWork[RollbackPlan]):
    """One rollback on its way."""

    async def work(self) -> None:
        """Ask for the traffic, and wait until it is so."""
        if not self.begun:
            await self.want_traffic(self.plan.traffic)
            self.steps.append(f"asked for the traffic: {shares(self.plan.traffic)}")
        seen = await self.wait(self._is_over, what="waiting for the traffic")
        if not self._is_done(seen):
            raise StoppedError(f"the traffic did not follow: {why(seen.service)}", _LOOK)
        self.steps.append(
            f"looked again: {', '.join(f'{each.percent} % met by {each.revision}' for each in seen.serving)}"
        )

    def refuse_others(self, seen: Seen) -> None:
        """Stop where the traffic that is wanted is another."""
        if seen.wanted != self.plan.traffic:
            raise StoppedError(f"somebody else moved the traffic meanwhile: {shares(seen.wanted)}", _LOOK)

    @property
    def revision(self) -> str | None:
        """The revision that gets the first part of the traffic."""
        return next((each.revision or self.seen.service.ready for each in self.plan.traffic if each.percent), None)

    def _is_over(self, seen: Seen) -> bool:
        return self._is_done(seen) or (seen.settled and seen.service.state is State.FAILED)

    def _is_done(self, seen: Seen) -> bool:
        expected = _by_revision((each.revision or seen.service.ready, each.percent) for each in self.plan.traffic)
        found = _by_revision((each.revision, each.percent) for each in seen.serving)
        return not seen.service.reconciling and found == expected


def _by_revision(shares_of: Iterable[tuple[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, percent in shares_of:
        found[name] += percent
    return +found
