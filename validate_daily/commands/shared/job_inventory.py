"""All jobs of a pipeline: what each would run, whether that is right, and how people see the list."""

from typing import Final

from checks.evidence.base import Evidence, Untrusted
from checks.evidence.deployments import Job
from checks.evidence.snapshot import Gap, Snapshot
from checks.formats.practice import practice_line
from checks.judge.deployed.verdicts import DeploymentVerdict, subjects
from checks.judge.report import judge
from checks.judge.rules import RULES, context_of
from checks.judge.verdict import ExitCode, Verdict
from checks.text.show import show

SOURCES: Final = ("cloud-run", "registry")
"""What the list is made from."""


class InventoryRow(Evidence):
    """One job: what its next execution runs, whose image it should run, how it last ended, and the verdict."""

    name: Untrusted
    verdict: Verdict
    image: Untrusted
    digest: str | None
    follows: str | None
    executions: int
    last_run: str | None
    last_state: str
    why: tuple[str, ...]


class Inventory(Evidence):
    """All jobs, worst first. ``complete`` is false where some may be missing, which ``gaps`` explain."""

    practice: bool
    complete: bool
    jobs: tuple[InventoryRow, ...]
    missing: tuple[str, ...]
    gaps: tuple[Gap, ...]

    @property
    def exit_code(self) -> int:
        """0 each would run what it should, 1 some would not, 3 something is not known."""
        worst = {each.verdict for each in self.jobs}
        if worst & {Verdict.P0, Verdict.P1, Verdict.P2} or self.missing:
            return 1
        return ExitCode.UNKNOWN if self.gaps or not self.complete or Verdict.UNKNOWN in worst else ExitCode.HEALTHY


def inventory_of(snapshot: Snapshot) -> Inventory:
    """The jobs of a snapshot, judged by the rules that its sources can answer."""
    rules = [rule for rule in RULES if set(rule.needs) <= set(SOURCES)]
    context = context_of(snapshot)
    verdicts = subjects(context, judge(context, rules))
    rows = [
        _row(each, each.one, snapshot.pipeline.follows(each.name)) for each in verdicts if isinstance(each.one, Job)
    ]
    found, named = snapshot.deployments, {each.name for each in snapshot.pipeline.jobs}
    return Inventory(
        practice=snapshot.practice,
        complete=found is not None and found.complete,
        jobs=tuple(rows),
        missing=tuple(each.name for each in verdicts if each.kind == "missing" and each.name in named),
        gaps=tuple(gap for gap in snapshot.gaps if gap.source != "clock"),  # no age is judged here
    )


def _row(subject: DeploymentVerdict, job: Job, follows: str | None) -> InventoryRow:
    why = [finding.summary for finding in subject.findings]
    return InventoryRow(
        name=job.name,
        verdict=subject.verdict,
        image=job.image.reference,
        digest=job.image.digest,
        follows=follows,
        executions=job.executions,
        last_run=f"{job.last_run:%Y-%m-%d %H:%M UTC}" if job.last_run else None,
        last_state=job.last_state,
        why=(*why, *(each for each in (subject.unseen, subject.told) if each)),
    )


def inventory_lines(inventory: Inventory) -> list[str]:
    """All jobs for a person, and then why some are not right."""
    lines = [practice_line()] if inventory.practice else []
    for each in inventory.jobs:
        last = f"last ran {each.last_run}, {each.last_state}" if each.last_run else "never ran"
        follows = f"follows {each.follows}" if each.follows else "follows no service"
        lines.append(f"{each.verdict:<10}{show(each.name)}: {show(each.image, limit=300)}; {follows}; {last}")
    if not inventory.jobs:
        lines.append("no job was found" + (": Cloud Run has none there" if inventory.complete else ""))
    lines += [f"why       {show(each, limit=500)}" for each in _reasons(inventory)]
    lines += [f"missing   {show(each)}: the settings name it, Cloud Run has no such job" for each in inventory.missing]
    lines += [f"unseen    {gap.source}: {show(gap.reason, limit=500)}; next: {gap.next_step}" for gap in inventory.gaps]
    return lines


def _reasons(inventory: Inventory) -> list[str]:
    return list(dict.fromkeys(line for each in inventory.jobs for line in each.why))
