"""Which findings of a check the loop can repair, of which service, and the command that repairs one by itself."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from checks.judge.finding import Finding
from checks.judge.report import Report
from checks.judge.rules import (
    fix_not_deployed,
    heartbeats_switched_off,
    job_image_differs,
    job_image_stale,
    serving_digest_not_tag,
)
from checks.settings.pipeline import Pipeline

_SERVICE_RULES: Final = frozenset({serving_digest_not_tag.RULE.name, fix_not_deployed.RULE.name})
_JOB_RULES: Final = frozenset({job_image_differs.RULE.name, job_image_stale.RULE.name})


@dataclass(frozen=True, slots=True)
class FoundWork:
    """What a check found and this loop can repair.

    Attributes:
        services: those that are to run another image.
        leaders: those whose jobs are to run another image.
    """

    services: frozenset[str] = frozenset()
    leaders: frozenset[str] = frozenset()

    @property
    def all(self) -> list[str]:
        """The services of both, by the alphabet."""
        return sorted(self.services | self.leaders)


NO_WORK: Final = FoundWork()


def work_of(report: Report, pipeline: Pipeline) -> FoundWork:
    """The services that a report's findings are about, as far as the settings name them."""
    known = {each.name for each in pipeline.services}
    services = {each.subject for each in report.findings if each.rule in _SERVICE_RULES}
    leaders = {
        leader
        for each in report.findings
        if each.rule in _JOB_RULES
        for leader in leaders_of(pipeline, [each.subject, *(fact.subject for fact in each.evidence)])
    }
    return FoundWork(frozenset(services & known), frozenset(leaders & known))


def leaders_of(pipeline: Pipeline, names: Iterable[str]) -> set[str]:
    """The services that these are, or that these jobs follow."""
    follows = {each.name: each.follows for each in pipeline.jobs if each.follows}
    services = {each.name for each in pipeline.services}
    return {leader for name in names if (leader := follows.get(name) or (name if name in services else None))}


def command_for(finding: Finding, report: Report, pipeline: Pipeline, config: Path | None = None) -> str | None:
    """The command that repairs what a finding is about.

    Args:
        finding: one that is left.
        report: where it stands.
        pipeline: whose settings.
        config: the settings file as the user named it.

    Returns:
        None where no command does: an image that lacks a fix must be built first, and the loop itself cleans up.
    """
    if finding.rule == heartbeats_switched_off.RULE.name:
        return _without_flags(finding, pipeline)
    arguments: Sequence[str] | None = None
    known = {each.name for each in pipeline.services}
    if finding.rule == serving_digest_not_tag.RULE.name and finding.subject in known:
        arguments = ("redeploy", finding.subject)
    elif finding.rule in _JOB_RULES:
        lacking = {each.subject for each in report.findings if each.rule == fix_not_deployed.RULE.name}
        leaders = sorted(leaders_of(pipeline, [finding.subject]) - lacking)
        arguments = ("jobs", "--update", leaders[0]) if leaders else None
    if arguments is None:
        return None
    own = () if config is None else ("--config", str(config))
    return shlex.join(["validate-daily", *arguments, *own, "--apply"])


def _without_flags(finding: Finding, pipeline: Pipeline) -> str:
    """The program's own deploy is better; this is what changes its environment and nothing else."""
    jobs = {each.name: each.project for each in pipeline.jobs}
    off = [flag for flag in pipeline.sources.flags if flag in finding.fault] or list(pipeline.sources.flags)
    project = jobs.get(finding.subject) or pipeline.place_of(finding.subject)[0]
    arguments = [
        *("gcloud", "run", "jobs" if finding.subject in jobs else "services", "update", finding.subject),
        f"--remove-env-vars={','.join(off)}",
        *("--project", project),
        *(("--region", finding.region) if finding.region else ()),
    ]
    return shlex.join(arguments)
