"""A rule, with everything that others need to know of it."""

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

from checks.evidence.deployments import Job, Service
from checks.judge.context import Context, Silent
from checks.judge.finding import Finding, key
from checks.settings.sources import SourceName

HEARTBEATS: Final = "0.2"
"""The phase of the daily validation that looks at heartbeats alone."""

Want = Literal["documents", "runs", "code probes", "processors"]
"""What a rule judges, where its sources may hold none: documents that were read and not merely counted, log lines of
runs; code probes and processors that the settings name. A report says so."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a pure function from what was seen to findings, and what the checks must know of it.

    Attributes:
        judge: the function. Its name, with hyphens, is the name of the rule.
        needs: the sources that it cannot do without.
        phase: the phase of the daily validation that it belongs to.
        counted: ``check --count`` judges by it.
        quiet: a ``[[quiet]]`` window of the processor excuses its findings.
        wants: what it judges, where its sources may hold none.
        silence: whose silence its findings may come from, so that the cause of a silence explains them.
        explains: rules whose findings about the same subject follow from one of this rule.
        fault: what its fingerprints hold besides rule, subject and region, in words; empty where those say it all.
        counts: what ``count`` of its findings counts, where these can grow; only such a rule is accepted by a count.
        events: a finding is about one event, such as a run: another under the same subject is a new finding, and no
            change of the earlier one.
        former_names: names that settings may call it by, for two releases after it was renamed.
        concerns: for a rule whose finding is about several jobs, under the name of the service that they follow:
            whether the finding is about this service or job too.
    """

    judge: Callable[[Context], Iterator[Finding]]
    _: KW_ONLY
    needs: tuple[SourceName, ...] = ()
    phase: str | None = None
    counted: bool = False
    quiet: bool = False
    wants: Want | None = None
    silence: tuple[Silent, ...] = ()
    explains: tuple["Rule", ...] = ()
    fault: str = ""
    counts: str | None = None
    events: bool = False
    former_names: tuple[str, ...] = ()
    concerns: Callable[[Context, Service | Job], bool] | None = None

    @property
    def name(self) -> str:
        """The one name of the rule: its file, its findings, its test, its page."""
        return self.judge.__name__.replace("_", "-")

    def key(self, subject: str) -> str:
        """The key of its finding about a subject."""
        return key(self.name, subject)

    def findings(self, context: Context) -> Iterator[Finding]:
        """What it finds, each finding with the keys of those that follow from it."""
        for finding in self.judge(context):
            follow = tuple(rule.key(finding.subject) for rule in self.explains)
            yield finding.model_copy(update={"explains": (*follow, *finding.explains)}) if follow else finding
