"""What became of a plan that changes services or jobs, as looks afterwards saw it."""

from enum import StrEnum

from checks.evidence.base import Count, Evidence, Untrusted
from checks.judge.verdict import ExitCode
from checks.text.plural import counted
from validate_daily.repairs.plans.cloud_run_plans import Serving, Traffic
from validate_daily.repairs.plans.outcome import RepairResult


class Rollout(RepairResult):
    """What became of a service.

    Attributes:
        service: its name.
        done: it is as the plan wanted it; False: it is not, and ``reason`` says why; None: that is not known.
        digest: what was to serve; None where only traffic was to move.
        revision: the revision that was made for it, or that was to get the traffic.
        created, ready: the service's newest revision, and its newest ready one.
        serving: the observed traffic.
        wanted: the traffic that is wanted now.
        steps: what was done, in its order.
        lines: what the revision said, where it failed.
        effect: what was seen of the new revision at work.
        next_step: what to do now; None where there is nothing to do.
    """

    service: str
    done: bool | None
    reason: Untrusted | None
    digest: str | None
    revision: str | None
    created: str
    ready: str
    serving: tuple[Serving, ...]
    wanted: tuple[Traffic, ...]
    steps: tuple[str, ...]
    lines: tuple[Untrusted, ...] = ()
    effect: tuple[str, ...] = ()
    next_step: str | None = None

    @property
    def complete(self) -> bool:
        """It is as the plan wanted it."""
        return self.done is True

    @property
    def resumable(self) -> bool:
        """Whether it may still be under way."""
        return self.done is None

    @property
    def summary(self) -> str:
        """Whether it is done, and why not."""
        state = {True: "done", False: "not done", None: "not known"}[self.done]
        return state if self.reason is None else f"{state}: {self.reason}"

    @property
    def exit_code(self) -> int:
        """0 done, 1 not deployed, 3 not known."""
        if self.done is None or (self.done and self.unseen):
            return ExitCode.UNKNOWN
        return 0 if self.done else 1


class JobFate(StrEnum):
    """What became of one job."""

    UPDATED = "updated"
    CHANGED = "changed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class JobResult(Evidence):
    """One job afterwards: what became of it, what its template names now, and why it is not as planned.

    ``filled`` says which fields that nobody had set were filled in by Cloud Run.
    """

    name: str
    fate: JobFate
    image: Untrusted | None
    why: Untrusted | None = None
    filled: Untrusted | None = None


class JobsUpdate(RepairResult):
    """What became of jobs.

    Attributes:
        service: the one that they follow.
        digest: what they should run.
        planned: how many were to be updated.
        jobs: each of them.
    """

    service: str
    digest: str
    planned: Count
    jobs: tuple[JobResult, ...]

    @property
    def complete(self) -> bool:
        """Every job names the digest."""
        return all(each.fate is JobFate.UPDATED for each in self.jobs)

    @property
    def resumable(self) -> bool:
        """Whether nobody knows of some job what became of it."""
        return any(each.fate is JobFate.UNKNOWN for each in self.jobs)

    @property
    def summary(self) -> str:
        """How many were updated."""
        return f"{sum(each.fate is JobFate.UPDATED for each in self.jobs)} of {counted(self.planned, 'job')} updated"

    @property
    def exit_code(self) -> int:
        """0 all updated, 1 some not, 3 something is not known."""
        if self.unseen or any(each.fate is JobFate.UNKNOWN for each in self.jobs):
            return ExitCode.UNKNOWN
        return 0 if self.complete else 1
