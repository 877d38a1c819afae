"""What free text claims: sentences that fixed patterns know, mapped to checks; the others are listed, never believed.

The patterns are all ours. Of a document only numbers, hexadecimal names and the settings' own names get through.
"""

import re
from collections.abc import Iterator
from typing import Final

from checks.judge.verdict import Verdict
from checks.settings.pipeline import Pipeline
from checks.text.commits import same_commit
from validate_daily.handoff.claim import ALL_JOBS, ALL_PROCESSORS, Check, Claim
from validate_daily.handoff.names import Names

LONGEST: Final = 300
_FLAGS: Final = re.IGNORECASE | re.ASCII

_COUNTS: Final = (
    re.compile(
        r"\b(?:total|firestore|heartbeat) (?:heartbeat )?(?:documents|docs)(?: remaining)?\W{1,4}([\d,]+)", _FLAGS
    ),
    re.compile(r"^(?:total|after|remaining)\W{1,4}([\d,]+) (?:[\w-]+ )?(?:documents|docs)\b", _FLAGS),
    re.compile(r"\b(?:stable|now) (?:with|at|holds) ([\d,]+) (?:[\w-]+ ){0,2}(?:documents|docs)\b", _FLAGS),
    re.compile(r"^(?:firestore )?(?:documents|heartbeat documents) \|.*\| ([\d,]+) \|", _FLAGS),
)
_BAD: Final = (
    re.compile(
        r"\b(?:bad|old|wrong|malformed)[ -](?:format|ids)(?: documents| docs)?(?: \|.*\||\W{1,4})\s*([\d,]+)", _FLAGS
    ),
    re.compile(
        r"\b([\d,]+|no|zero) (?:bad|malformed|old)(?:[ -]format)?(?: heartbeat)? (?:documents|docs|ids)\b", _FLAGS
    ),
)
_NO_GROWTH: Final = re.compile(
    r"\bno (?:new|more) (?:bad|malformed|old)\b.*\b(?:documents|docs|ids)\b|\bgrowth (?:has )?stopped\b", _FLAGS
)
_HEALTHY: Final = re.compile(r"\b(?:system|pipeline|status)\b.{0,20}\bhealthy\b", _FLAGS)
_GONE: Final = re.compile(r"\b(?:deleted|removed|had|before|was|were|detects?|found)\b", _FLAGS)
_UNHEALTHY: Final = re.compile(r"\bunhealthy\b", _FLAGS)
_SILENT: Final = re.compile(
    r"\bheartbeats?\b.{0,40}\b(?:not (?:been )?updat|not updating|stopped|(?:are|is) (?:all )?stale)"
    r"|\bnot updating\b.{0,20}heartbeat",
    _FLAGS,
)
_FRESH: Final = re.compile(r"\bheartbeats?\b.{0,40}\b(?:fresh|resumed|(?:are|is) updating|updated within)\b", _FLAGS)
_OLD: Final = re.compile(
    r"\b(?:not|never|isn't|wasn't)(?: \w+){0,2} deployed\b|\bold (?:heartbeat )?(?:code|images?)\b|\(before fix\)",
    _FLAGS,
)
_SERVES: Final = re.compile(
    r"(?<![\w-])deployed\b(?! (?:docker|code|commits?|image|container|revision|but))"
    r"|\bdeployment (?:complete|verified|successful)"
    r"|\brunning (?:with )?(?:the )?(?:correct|new|fixed)\b|\b(?:has|have|with) the (?:\w+ )?fix\b"
    r"|\| \W*(?:fixed|working|deployed)\b",
    _FLAGS,
)
_DOUBTED: Final = re.compile(
    r"\b(?:not|no longer|nothing|none|neither|nor|without|rolled back|reverted|part(?:ial)?ly|almost|nearly)\b|\u274c",
    _FLAGS,
)
"""What may turn a good word into its opposite: such a sentence is listed, and mapped to nothing."""

_OLD_JOBS: Final = re.compile(r"\b(\d{1,4})\+? (?:[\w-]+ ){0,3}jobs\b.*\bold\b", _FLAGS)
_REVISION: Final = re.compile(r"\b\d{5}-[a-z0-9]{3}\b", re.ASCII)
_COMMIT: Final = re.compile(r"\bcommits?\b\W{0,4}([0-9a-f]{7,40})\b", _FLAGS)
_GIT: Final = re.compile(
    r"\bcommit(?:s|ted)?\b|\bmerged\b|\b[0-9a-f]{8}\b - |\.(?:py|sh|txt|md|toml|yaml)\b"
    r"|\bdockerfile\b|\bbranch\b|\bscript\b",
    _FLAGS,
)
_SAID: Final = re.compile(
    r"\b(?:deployed|fixed|resolved|verified|completed?|cleaned up|deleted|working|running|generating|functioning|active"
    r"|updated|added|created|tested|committed|merged|healthy)\b|\u2705",
    _FLAGS,
)
_HEDGED: Final = re.compile(
    r"\b(?:should|would|could|will|may|might|must|need(?:s|ed)? to|todo|if|when(?:ever)?|whether|claim(?:s|ed|ing)?"
    r"|assum\w+|appear\w*|attempt\w*|hypothes\w+|likely|try|unknown|was incorrect|expected (?:output|to)|recommend\w*"
    r"|instead of|how to|not checked|once|until|discovered that|trust|failed|probability)\b|\?\s*$|\bcan be\b",
    _FLAGS,
)


def claims_in(sentence: str, line: int, pipeline: Pipeline, names: Names) -> Iterator[Claim]:
    """What one sentence of a document claims; nothing where it claims nothing, or hedges what it says.

    Args:
        sentence: without markup; a row of a table has its cells between bars.
        line: where it stands.
        pipeline: the settings.
        names: what their services and jobs are called.
    """
    text = sentence.strip()[:LONGEST]
    whole = text == sentence.strip()  # what was cut off may have said the opposite
    found = [*_counted(text, line, pipeline)] if whole else []
    if whole and not _HEDGED.search(text):
        found += _stated(text, line, pipeline, names)
    if found:
        yield from found
    elif not _HEDGED.search(text) and _SAID.search(text):
        yield Claim(statement=text, line=line, git=_GIT.search(text) is not None)


def counts_in(text: str, line: int, pipeline: Pipeline) -> Iterator[Claim]:
    """What one line of a block of code or output claims: measured numbers alone, everything else there is a program."""
    stripped = text.strip().lstrip("#- ")[:LONGEST]
    if stripped[:1].isalpha() and re.match(r"[\w ]{3,40}: *[\d,]+(?: |$)", stripped, re.ASCII):
        yield from _counted(stripped, line, pipeline)


def _counted(text: str, line: int, pipeline: Pipeline) -> Iterator[Claim]:
    collection = pipeline.heartbeats.collection
    if _GONE.search(text.partition("(")[0]):
        return
    for check, patterns in ((Check.MALFORMED, _BAD), (Check.DOCUMENTS, _COUNTS)):
        for pattern in patterns:
            if (match := pattern.search(text)) and (count := _count(match[1])) is not None:
                yield Claim(statement=text, line=line, check=check, subject=collection, expected=count)
                break


def _count(text: str) -> str | None:
    digits = "0" if text.lower() in {"no", "zero"} else text.strip(",").replace(",", "")
    return str(int(digits)) if digits.isdecimal() and len(digits) < 12 else None  # noqa: PLR2004 - no such collection


def _stated(text: str, line: int, pipeline: Pipeline, names: Names) -> Iterator[Claim]:
    """What a sentence says of a state, without numbers of documents."""
    doubted = _DOUBTED.search(text) is not None
    asks: list[tuple[Check, str | None, str]] = list(_of_all(text, pipeline, doubted=doubted))
    named: list[str | None] = [*names.within(text)]
    if jobs := _OLD_JOBS.search(text):
        asks.append((Check.SERVES, ALL_JOBS, f">= {jobs[1]}"))
    elif _OLD.search(text):
        asks += [(Check.SERVES, name, "contradicted") for name in named or [None]]
    elif _SERVES.search(text) and not doubted:
        asks += [(Check.SERVES, name, "matched") for name in named or [None]]
        asks += [(Check.COMMIT, name, commit) for commit in _fixes(text, pipeline) for name in named]
    for revision in dict.fromkeys(_REVISION.findall(text)):
        asks += [(Check.REVISION, name, revision) for name in named if name in names.services]
    for check, subject, expected in asks:
        yield Claim(statement=text, line=line, check=check, subject=subject, expected=expected)


def _of_all(text: str, pipeline: Pipeline, *, doubted: bool) -> Iterator[tuple[Check, str, str]]:
    """What it says of the heartbeats, and of the pipeline as a whole."""
    if _NO_GROWTH.search(text):
        yield Check.GROWTH, pipeline.heartbeats.collection, "0"
    if _SILENT.search(text):
        yield Check.HEARTBEAT, ALL_PROCESSORS, "silent"
    elif _FRESH.search(text) and not doubted:
        yield Check.HEARTBEAT, ALL_PROCESSORS, "fresh"
    if _HEALTHY.search(text) and not doubted and not _UNHEALTHY.search(text):
        yield Check.VERDICT, pipeline.pipeline.name, Verdict.HEALTHY


def _fixes(text: str, pipeline: Pipeline) -> Iterator[str]:
    """The commits that it names and that a code probe of the settings is about."""
    for commit in _COMMIT.findall(text.lower()):
        if any(probe.commit and same_commit(probe.commit, commit) for probe in pipeline.code_probes):
            yield commit
