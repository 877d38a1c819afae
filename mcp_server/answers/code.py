"""What code really runs: the answer of ``verify_deployed_code``."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from pydantic import Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.snapshot import Level
from checks.judge.deployed.code import ProbeReport, ShareProbed, SubjectProbed
from checks.judge.deployed.levels import Rung
from checks.judge.deployed.proofs import WORST_FIRST, Outcome
from mcp_server.answers.answer import Searched, ToolAnswer, without_clock
from mcp_server.answers.page import page
from mcp_server.cursor import asked

ROOM: Final = 6_500
"""Characters that the subjects of an answer may take."""


class ProofRow(Evidence):
    """What a code probe found; ``created_by`` is what the image's history says of the layer of the file."""

    probe: str
    result: Outcome
    reason: Untrusted
    created_by: Untrusted | None = None


class ImageRow(Evidence):
    """One image that runs: behind a share of traffic, or of a job. ``commit_label`` is the image's own claim."""

    revision: str | None
    percent: Count | None
    digest: str | None
    commit_label: Untrusted | None
    proofs: tuple[ProofRow, ...]


class CodeRow(Evidence):
    """One service or job: matched, contradicted or unknown, the level that this rests on, and why."""

    kind: str
    name: Untrusted
    result: Outcome
    level: Level | None
    digest: str | None
    why: Untrusted


class CodeAnswer(ToolAnswer):
    """What runs, held against what was pushed and against the code probes of the settings.

    Attributes:
        result: the worst of all; null where Cloud Run could not be read.
        results: how many services and jobs have each.
        subjects: those that are not matched, worst first; or the one that was asked for.
        omitted: how many follow on later pages.
        levels: of the one that was asked for: what each level of evidence says, strongest first.
        contradictions: where two levels cannot both be right.
        images: every image that it runs.
    """

    result: Outcome | None
    results: Mapping[Outcome, Count] = Field(default_factory=dict[Outcome, Count])
    subjects: tuple[CodeRow, ...] = ()
    omitted: Count = 0
    levels: tuple[Rung, ...] = ()
    contradictions: tuple[Untrusted, ...] = ()
    images: tuple[ImageRow, ...] = ()


def code_answer(report: ProbeReport, searched: Searched, subject: str | None, cursor: str | None) -> CodeAnswer:
    """What a look at images found, as a model may see it.

    Args:
        report: what was found.
        searched: where was looked.
        subject: the one service or job that was asked for.
        cursor: ``next_cursor`` of the page before.

    Raises:
        ToolError: the cursor is none of this tool's, or what it names is gone.
    """
    subjects = sorted(
        report.subjects, key=lambda each: (WORST_FIRST.index(each.result), each.kind != "service", each.subject)
    )
    listed = [each for each in subjects if subject or each.result is not Outcome.MATCHED]
    shown = page(listed, cursor, asked=asked(subject), name=lambda each: each.subject, row=_row, room=ROOM)
    one = subjects[0] if subject and subjects else None
    gaps = without_clock(report.gaps)
    return CodeAnswer(
        practice=report.practice,
        searched=searched,
        complete=not gaps,
        gaps=gaps,
        note="Every service and job that a code probe is about is matched."
        if report.result is Outcome.MATCHED and not listed
        else None,
        truncated=shown.next_cursor is not None,
        next_cursor=shown.next_cursor,
        result=report.result if subjects else None,
        results=dict(Counter(each.result for each in subjects)),
        subjects=shown.rows,
        omitted=shown.omitted,
        levels=one.ladder.rungs if one and one.ladder else (),
        contradictions=one.ladder.contradictions if one and one.ladder else (),
        images=tuple(map(_image, one.shares)) if one else (),
    )


def _row(each: SubjectProbed) -> CodeRow:
    return CodeRow(
        kind=each.kind, name=each.subject, result=each.result, level=each.level, digest=each.digest, why=each.reason
    )


def _image(share: ShareProbed) -> ImageRow:
    return ImageRow(
        revision=share.revision,
        percent=share.percent,
        digest=share.digest,
        commit_label=share.commit,
        proofs=tuple(
            ProofRow(probe=proof.probe, result=proof.result, reason=proof.reason, created_by=proof.file.created_by)
            for proof in share.proofs
        ),
    )
