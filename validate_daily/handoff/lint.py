"""Refuses words that nothing proves: "deployed" and "fixed" need a claim that rests on a digest at least."""

import re
from typing import Final

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.snapshot import Level
from checks.judge.deployed.proofs import Outcome
from checks.settings.pipeline import Pipeline
from validate_daily.handoff.claim import ALL_JOBS, ALL_SERVICES, Check, Claim
from validate_daily.handoff.document import measured_claims, sentences_of
from validate_daily.handoff.names import Names

_PROVE: Final = frozenset({Level.DIGEST, Level.BYTES, Level.RUNTIME})
_WORDS: Final = re.compile(r"(?<![\w-])(?:re)?(?:deployed|fixed|rolled out)\b", re.IGNORECASE | re.ASCII)
_DENIED: Final = re.compile(
    r"\b(?:not|never|nor|isn't|wasn't|hasn't|nothing)\b[^.;]{0,40}?\b(?:re)?(?:deployed|fixed|rolled out)\b",
    re.IGNORECASE | re.ASCII,
)


class UnprovedSentence(Evidence):
    """A sentence that says "deployed" or "fixed": where, what it says, and what is missing."""

    line: Count
    statement: Untrusted
    why: Untrusted


def lint(raw: bytes, pipeline: Pipeline, origin: str, *, proved_by: bytes | None = None) -> list[UnprovedSentence]:
    """Every sentence of a document that says so without a claim in its table that proves it of the same subject.

    Args:
        raw: the document.
        pipeline: the settings, whose services and jobs it may name.
        origin: what errors call it.
        proved_by: the document whose table proves it; its own unless given.

    Raises:
        UsageError: it is too large, or no text.
    """
    names = Names.of(pipeline)
    proved = {
        claim.subject for claim in measured_claims(raw if proved_by is None else proved_by, origin) if _proves(claim)
    }
    if ALL_SERVICES in proved:
        proved |= names.services
    if ALL_JOBS in proved:
        proved |= {each.name for each in pipeline.jobs}
    found: list[UnprovedSentence] = []
    for line, sentence in sentences_of(raw, origin):
        if not _WORDS.search(_DENIED.sub("", sentence)):
            continue
        about = names.within(sentence)
        missing = [name for name in about if name not in proved]
        if missing or not about:
            why = f"no claim at digest level or better about {', '.join(missing)}" if about else _NOBODY
            found.append(UnprovedSentence(line=line, statement=sentence[:300], why=why))
    return found


_NOBODY: Final = "it names no service or job of the settings, so nothing can prove it"


def _proves(claim: Claim) -> bool:
    whole = claim.measured_at is not None and claim.expires_at is not None and claim.level in _PROVE
    return whole and claim.check is Check.SERVES and claim.expected == Outcome.MATCHED
