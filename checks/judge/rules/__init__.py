"""The ordered table of rules: what is listed first is named first among findings of the same severity."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from checks.evidence.snapshot import Snapshot
from checks.judge.finding import Finding
from checks.judge.rules.commit_label_contradicted import commit_label_contradicted
from checks.judge.rules.fix_not_deployed import fix_not_deployed
from checks.judge.rules.future_heartbeats import future_heartbeats
from checks.judge.rules.heartbeat_channel_down import heartbeat_channel_down
from checks.judge.rules.heartbeat_proliferation import heartbeat_proliferation
from checks.judge.rules.heartbeat_write_errors import heartbeat_write_errors
from checks.judge.rules.heartbeats_switched_off import heartbeats_switched_off
from checks.judge.rules.image_drift import image_drift
from checks.judge.rules.job_image_differs import job_image_differs
from checks.judge.rules.job_image_stale import job_image_stale
from checks.judge.rules.malformed_ids import malformed_ids
from checks.judge.rules.missing_deployments import missing_deployments
from checks.judge.rules.missing_heartbeats import missing_heartbeats
from checks.judge.rules.mixed_practice import mixed_practice
from checks.judge.rules.regrowth import regrowth
from checks.judge.rules.revision_not_serving import revision_not_serving
from checks.judge.rules.serving_digest_not_tag import serving_digest_not_tag
from checks.judge.rules.stale_heartbeats import stale_heartbeats
from checks.judge.rules.stuck_operation import stuck_operation
from checks.judge.rules.two_witnesses import two_witnesses
from checks.judge.rules.unparsable_heartbeats import unparsable_heartbeats
from checks.judge.rules.unreadable_evidence import unreadable_evidence
from checks.settings.sources import SourceName

HEARTBEATS: Final = "0.2"
"""The phase of the daily validation that looks at heartbeats alone."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a pure function from a snapshot to findings, the sources that it cannot do without, and its phase."""

    judge: Callable[[Snapshot], Iterator[Finding]]
    needs: tuple[SourceName, ...]
    phase: str | None = None

    @property
    def name(self) -> str:
        """The one name of the rule: its file, its findings, its test, its page."""
        return self.judge.__name__.replace("_", "-")


RULES: Final = (
    Rule(heartbeat_proliferation, ("firestore",), HEARTBEATS),
    Rule(heartbeats_switched_off, ("cloud-run",)),
    Rule(heartbeat_write_errors, ("logging",)),
    Rule(two_witnesses, ("firestore", "logging")),
    Rule(heartbeat_channel_down, ("firestore",), HEARTBEATS),
    Rule(missing_heartbeats, ("firestore",), HEARTBEATS),
    Rule(stale_heartbeats, ("firestore",), HEARTBEATS),
    Rule(missing_deployments, ("cloud-run",)),
    Rule(revision_not_serving, ("cloud-run",)),
    Rule(serving_digest_not_tag, ("cloud-run", "registry")),
    Rule(fix_not_deployed, ("cloud-run", "registry")),
    Rule(job_image_differs, ("cloud-run", "registry")),
    Rule(job_image_stale, ("cloud-run", "registry")),
    Rule(stuck_operation, ("logging",)),
    Rule(mixed_practice, (), HEARTBEATS),
    Rule(unreadable_evidence, (), HEARTBEATS),
    Rule(regrowth, ("firestore",), HEARTBEATS),
    Rule(malformed_ids, ("firestore",), HEARTBEATS),
    Rule(image_drift, ("cloud-run", "registry")),
    Rule(commit_label_contradicted, ("cloud-run",)),
    Rule(future_heartbeats, ("firestore",), HEARTBEATS),
    Rule(unparsable_heartbeats, ("firestore",), HEARTBEATS),
)

PHASES: Final = (HEARTBEATS,)


def rules_of(phase: str | None) -> tuple[Rule, ...]:
    """The rules of one phase, or all of them."""
    return tuple(rule for rule in RULES if phase in {None, rule.phase})
