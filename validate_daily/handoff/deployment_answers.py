"""Claims about services and jobs, held against what runs: a digest decides at least, never a label or an exit code."""

from collections.abc import Mapping
from typing import Final

from checks.evidence.deployments import Job, Service
from checks.evidence.running_images import parts_of
from checks.evidence.snapshot import Level
from checks.judge.deployed.levels import Ladder
from checks.judge.deployed.proofs import Outcome, proofs_in, worst
from checks.text.commits import same_commit
from validate_daily.handoff.claim import ALL_JOBS, ALL_SERVICES, number
from validate_daily.handoff.measurements import (
    Measurement,
    Measurements,
    first_names,
    if_sure,
    measured,
    unmeasured,
)

_STRONG: Final = (Level.RUNTIME, Level.BYTES, Level.DIGEST)


def serves(seen: Measurements, subject: str, expected: str) -> Measurement:
    """Whether a service or job, or all of them, run what was pushed, with every fix that a code probe looks for."""
    settings, found = seen.snapshot.pipeline, seen.snapshot.deployments
    groups = {ALL_SERVICES: [each.name for each in settings.services], ALL_JOBS: [each.name for each in settings.jobs]}
    alone = subject not in groups
    names = [subject] if alone else groups[subject]
    wanted = number(expected)
    if alone and subject not in {*groups[ALL_SERVICES], *groups[ALL_JOBS]}:
        return unmeasured("name a service or job of the settings")
    if not names or (wanted is None and expected not in {Outcome.MATCHED, Outcome.CONTRADICTED}):
        return unmeasured("expect matched or contradicted, of something that the settings name")
    if found is None:
        return unmeasured(settings.unasked.get("cloud-run", "Cloud Run could not be read"))
    if alone and subject in seen.ladders:
        return _one(seen.ladders[subject], expected)
    outcomes = {name: seen.ladders[name].verdict if name in seen.ladders else None for name in names}
    return _group(outcomes, [seen.ladders[name] for name in names if name in seen.ladders], expected, found.complete)


def _one(ladder: Ladder, expected: str) -> Measurement:
    """One service or job, with every level that says the same as its verdict."""
    says = {rung.level: rung for rung in ladder.rungs}
    rungs = tuple(rung for rung in ladder.rungs if rung.level in _STRONG and rung.result is ladder.verdict)
    observed = f"{ladder.verdict}: {says[ladder.level].says}" if ladder.level else ladder.verdict.value
    if ladder.verdict is Outcome.UNKNOWN or number(expected):
        return unmeasured("no level of evidence decides", observed, rungs)
    holds = ladder.verdict == expected
    return Measurement(holds, observed, ladder.level, None if holds else f"it is {ladder.verdict}", rungs)


def _group(outcomes: Mapping[str, Outcome | None], own: list[Ladder], expected: str, complete: bool) -> Measurement:  # noqa: FBT001
    """Several at once; ``>= 20`` means that so many are contradicted."""
    absent = [name for name, result in outcomes.items() if result is None]
    against = [name for name, result in outcomes.items() if result is Outcome.CONTRADICTED]
    matched = sum(result is Outcome.MATCHED for result in outcomes.values())
    observed = f"{matched} of {len(outcomes)} matched, {len(against)} contradicted" + (
        f": {first_names(against)}" if against else ""
    )
    levels = [each.level for each in own if each.level and each.verdict is not Outcome.UNKNOWN]
    level = min(levels, key=list(Level).index, default=None)
    if wanted := number(expected):
        if wanted.holds(len(against)):
            return measured(observed, level, holds=True)
        sure = len(against) + matched == len(outcomes)
        return if_sure(sure, measured(observed, level, holds=False, reason=f"{expected} was expected"))
    if expected == Outcome.CONTRADICTED:
        sure = matched > 0 or len(against) == len(outcomes)
        return if_sure(sure, measured(observed, level, holds=not matched, reason="some match"))
    result = worst([*(each.verdict for each in own), *([Outcome.UNKNOWN] if absent and not complete else [])])
    if against or (absent and complete):
        return measured(
            observed, level, holds=False, reason=first_names([*against, *(f"{name} is not there" for name in absent)])
        )
    return if_sure(result is Outcome.MATCHED, measured(observed, level, holds=True))


def revision(seen: Measurements, subject: str, expected: str) -> Measurement:
    """Whether all of a service's traffic goes to one revision."""
    found = seen.snapshot.deployments
    one = next((each for each in found.services if each.name == subject), None) if found else None
    if subject not in {each.name for each in seen.snapshot.pipeline.services}:
        return unmeasured("name a service of the settings")
    if one is None or not one.serving:
        return unmeasured("what serves could not be read")
    observed = ", ".join(f"{share.percent} % {share.revision}" for share, _ in one.serving)
    whole = expected if expected.startswith(f"{subject}-") else f"{subject}-{expected}"
    holds = [share.revision for share, _ in one.serving] == [whole]
    return measured(observed, Level.DIGEST, holds=holds, reason=f"{expected} does not serve all of its traffic")


def commit(seen: Measurements, subject: str, expected: str) -> Measurement:
    """Whether a service or job holds the fix of a commit: a code probe of it proves that, a label never."""
    found = seen.snapshot.deployments
    one = next((each for each in (*found.services, *found.jobs) if each.name == subject), None) if found else None
    if one is None or found is None:
        return unmeasured("it is no service or job of the settings, or could not be read")
    probes = [
        probe
        for probe in seen.snapshot.pipeline.probes_of(subject)
        if probe.commit and same_commit(probe.commit, expected)
    ]
    if not probes:
        return unmeasured("only a label claims a commit; a code probe of it would prove it", _label(one))
    parts = parts_of(seen.snapshot.pipeline, found, one)
    proofs = [proof for probe in probes for _, proof in proofs_in(parts, probe.name)]
    result = worst(proof.result if proof else Outcome.UNKNOWN for proof in proofs)
    observed = first_names([proof.reason for proof in proofs if proof]) or "nothing serves"
    if result is Outcome.UNKNOWN:
        return unmeasured("its files could not be read", observed)
    holds = result is Outcome.MATCHED
    return measured(observed, Level.BYTES, holds=holds, reason="its files lack the fix of that commit")


def _label(one: Service | Job) -> str:
    return f"its label claims {one.commit}" if one.commit else "no label claims a commit"
