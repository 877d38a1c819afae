"""The ordered table of rules: what is listed first is named first among findings of the same severity."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from checks.evidence import Snapshot
from checks.finding import Finding
from checks.rules.future_heartbeats import future_heartbeats
from checks.rules.heartbeat_channel_down import heartbeat_channel_down
from checks.rules.heartbeat_proliferation import heartbeat_proliferation
from checks.rules.malformed_ids import malformed_ids
from checks.rules.missing_heartbeats import missing_heartbeats
from checks.rules.regrowth import regrowth
from checks.rules.stale_heartbeats import stale_heartbeats
from checks.rules.unparsable_heartbeats import unparsable_heartbeats
from checks.rules.unreadable_evidence import unreadable_evidence

HEARTBEATS: Final = "0.2"
"""The phase of the daily validation that looks at heartbeats."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a pure function from a snapshot to findings, and the phase that it belongs to."""

    judge: Callable[[Snapshot], Iterator[Finding]]
    phase: str = HEARTBEATS

    @property
    def name(self) -> str:
        """The one name of the rule: its file, its findings, its test, its page."""
        return self.judge.__name__.replace("_", "-")


RULES: Final = (
    Rule(heartbeat_proliferation),
    Rule(heartbeat_channel_down),
    Rule(missing_heartbeats),
    Rule(stale_heartbeats),
    Rule(unreadable_evidence),
    Rule(regrowth),
    Rule(malformed_ids),
    Rule(future_heartbeats),
    Rule(unparsable_heartbeats),
)

PHASES: Final = tuple(sorted({rule.phase for rule in RULES}))
