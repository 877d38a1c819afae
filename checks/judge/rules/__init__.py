"""The ordered table of rules: what is listed first is named first among findings of the same severity.

A rule is a file of its own. It may import what lies in judge beside this room, evidence, settings and text.
"""

from typing import Final

from checks.evidence.snapshot import Snapshot
from checks.judge.context import Context, Silent
from checks.judge.rule import HEARTBEATS, Rule
from checks.judge.rules import (
    commit_label_contradicted,
    dead_run,
    failed_run,
    fix_not_deployed,
    future_heartbeats,
    heartbeat_channel_down,
    heartbeat_proliferation,
    heartbeat_write_errors,
    heartbeats_switched_off,
    image_drift,
    image_gone,
    job_image_differs,
    job_image_stale,
    malformed_ids,
    missing_deployments,
    missing_heartbeats,
    mixed_practice,
    regrowth,
    revision_not_serving,
    serving_digest_not_tag,
    stale_heartbeats,
    stale_setting,
    stuck_operation,
    two_witnesses,
    unparsable_heartbeats,
    unreadable_evidence,
    wrong_clock,
)

RULES: Final = (
    heartbeat_proliferation.RULE,
    heartbeats_switched_off.RULE,
    heartbeat_write_errors.RULE,
    two_witnesses.RULE,
    heartbeat_channel_down.RULE,
    missing_heartbeats.RULE,
    stale_heartbeats.RULE,
    dead_run.RULE,
    failed_run.RULE,
    missing_deployments.RULE,
    revision_not_serving.RULE,
    serving_digest_not_tag.RULE,
    fix_not_deployed.RULE,
    image_gone.RULE,
    job_image_differs.RULE,
    job_image_stale.RULE,
    stuck_operation.RULE,
    mixed_practice.RULE,
    unreadable_evidence.RULE,
    regrowth.RULE,
    malformed_ids.RULE,
    image_drift.RULE,
    commit_label_contradicted.RULE,
    wrong_clock.RULE,
    future_heartbeats.RULE,
    unparsable_heartbeats.RULE,
    stale_setting.RULE,
)

PHASES: Final = (HEARTBEATS,)


def rules_of(phase: str | None) -> tuple[Rule, ...]:
    """The rules of one phase, or all of them."""
    return tuple(rule for rule in RULES if phase in {None, rule.phase})


def context_of(snapshot: Snapshot) -> Context:
    """A snapshot with all that these rules share."""
    # By their names backwards: reports name what a finding explains in this order.
    names = sorted(((rule.name, rule.silence) for rule in RULES), reverse=True)
    return Context(
        snapshot,
        {each: tuple(name for name, silence in names if each in silence) for each in Silent},
        {rule.name: rule.needs for rule in RULES},
    )
