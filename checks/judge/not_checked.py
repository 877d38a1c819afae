"""Sources and rules that were not looked at, and why: every report says so."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from checks.evidence.deployments import Deployments
from checks.evidence.logs import Logs
from checks.evidence.snapshot import Method, NotChecked
from checks.judge.context import Context
from checks.judge.rule import Rule, Want
from checks.judge.rules import RULES
from checks.text.plural import counted
from checks.text.show import show

_NAMED: Final = 5
_SHOWN: Final = 100


def not_checked(context: Context, rules: Sequence[Rule]) -> Iterator[NotChecked]:
    """What was left out by choice, or because there was nothing to look at.

    Args:
        context: what was seen.
        rules: those that were applied.
    """
    snapshot, pipeline = context.snapshot, context.snapshot.pipeline
    if snapshot.census and snapshot.census.method is not Method.LISTING:
        reason = "ids that name a run were counted, and most of their documents not read: some may be unreadable"
        yield from _idle(rules, "documents", reason)
    for source, reason in pipeline.unasked.items():
        if idle := tuple(rule.name for rule in rules if source in rule.needs):
            yield NotChecked(what=source, reason=reason, rules=idle)
    found, logs = snapshot.deployments, snapshot.logs
    deployed = found is not None and bool(found.services or found.jobs)
    # What was read whole and is empty may as well be a wrong place or a wrong marker.
    if found is not None and found.complete and not (deployed or _others(found)):
        where = ", ".join(f"{project}/{region}" for project, region in pipeline.places)
        yield NotChecked(what="cloud-run", reason=f"no service and no job in {where}: is the region right?")
    yield from _not_ours(found or Deployments())
    if logs is not None and not logs.runs and not context.witnesses:
        marker = show(pipeline.sources.run_marker)
        reason = f"no log line since {logs.since:%Y-%m-%d %H:%M} UTC holds the run_marker {marker!r}"
        yield from _idle(rules, "runs", reason)
    if logs is not None and logs.elsewhere:
        yield _unsearched(rules, logs)
    probing = tuple(rule.name for rule in rules if rule.wants == "code probes")
    if probing and not pipeline.code_probes and deployed:
        reason = "whether a fix is in the images is not looked at: the settings name no [[code_probes]]"
        yield NotChecked(what="code probes", reason=reason, rules=probing)
    if not pipeline.heartbeats.processors:
        reason = "which processors are expected is unknown: the settings register none under [heartbeats] processors"
        yield from _idle(RULES, "processors", reason)


def _not_ours(found: Deployments) -> Iterator[NotChecked]:
    """Services and jobs of somebody else's, and registries that are not asked."""
    if others := _others(found):
        yield NotChecked(what="cloud-run", reason=others)
    if found.foreign:
        names = ", ".join(show(each, limit=_SHOWN) for each in found.foreign[:_NAMED])
        more = f" and {len(found.foreign) - _NAMED:,} more" if len(found.foreign) > _NAMED else ""
        reason = f"only registries of Google's are asked, so nothing is known of the tags of {names}{more}"
        yield NotChecked(what="registry", reason=reason)


def _others(found: Deployments) -> str:
    """What of Cloud Run is somebody else's, in words; empty where nothing is."""
    kinds = ((found.other_services, "service"), (found.other_jobs, "job"))
    told = [counted(len(ones), f"other {kind}") for ones, kind in kinds if ones]
    if found.unread_others:
        told.append(f"{found.unread_others:,} more that could not be read")
    if not told:
        return ""
    names = sorted({show(each.name, limit=_SHOWN) for ones, _ in kinds for each in ones})
    shown = f" ({', '.join(names[:_NAMED])}{' …' if len(names) > _NAMED else ''})" if names else ""
    why = "the settings do not name them, they run no image of the pipeline's, and no processor is theirs"
    return f"{', '.join(told)}{shown}: {why}"


def _unsearched(rules: Iterable[Rule], logs: Logs) -> NotChecked:
    names = sorted({show(each.log, limit=_SHOWN) for each in logs.elsewhere})
    who = sorted({show(each.source, limit=_SHOWN) for each in logs.elsewhere})
    lines = counted(len({each.processor for each in logs.elsewhere}), "processor")
    reason = f"run lines of {lines} ({', '.join(who[:_NAMED])}) are in a log that is not searched: add it to "
    reason += f"[sources] logs: {', '.join(names[:_NAMED])}"
    return NotChecked(what="logging", reason=reason, rules=tuple(each.name for each in rules if each.wants == "runs"))


def _idle(rules: Iterable[Rule], want: Want, reason: str) -> Iterator[NotChecked]:
    idle = (rule.name for rule in rules if rule.wants == want)
    return (NotChecked(what=name, reason=reason, rules=(name,)) for name in idle)
