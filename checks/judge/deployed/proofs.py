"""Whether an image holds what a code probe wants: judged from the bytes of one file, and from nothing else."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from checks.evidence.base import Evidence, Untrusted
from checks.evidence.images import Contents, File, Presence
from checks.settings.code_probe import CodeProbe
from checks.text.show import show

_LONGEST_LINE: Final = 2_000
_SHOWN: Final = 200


class Outcome(StrEnum):
    """What evidence says of a claim."""

    MATCHED = "matched"
    CONTRADICTED = "contradicted"
    UNKNOWN = "unknown"


def worst(results: Iterable[Outcome]) -> Outcome:
    """Contradicted before unknown, and matched only where everything is; nothing at all is unknown."""
    told = set(results)
    for outcome in (Outcome.CONTRADICTED, Outcome.UNKNOWN):
        if outcome in told:
            return outcome
    return Outcome.MATCHED if told else Outcome.UNKNOWN


class Proof(Evidence):
    """What one probe found in one image.

    Attributes:
        probe: its name.
        result: matched or contradicted by the file's bytes, or by its proved absence; unknown is neither.
        reason: why, in a sentence of ours.
        next_step: what to do where it is unknown.
        file: what was found at its path.
    """

    probe: str
    result: Outcome
    reason: Untrusted
    next_step: str | None = None
    file: File


class Lack(Evidence):
    """Something that an image needs and does not hold: ``what``, and ``why`` it is needed."""

    what: Untrusted
    why: Untrusted


class Starting(Evidence):
    """Whether an image's code can be imported, and its command run.

    Attributes:
        lacks: packages without an ``__init__.py`` that something imports from, and packages that the command needs.
        complete: every layer and file was read, so that nothing else of this kind is lacking.
        note: what was not read.
    """

    lacks: tuple[Lack, ...] = ()
    complete: bool
    note: Untrusted | None = None


class Inspected(Evidence):
    """One image that was looked into: what its probes found there, and what it lacks, where that was asked."""

    contents: Contents
    proofs: tuple[Proof, ...] = ()
    starting: Starting | None = None

    def proof(self, probe: str) -> Proof | None:
        """What a probe found, if it looked here."""
        return next((each for each in self.proofs if each.probe == probe), None)


def prove(probe: CodeProbe, file: File, text: bytes | None) -> Proof:
    """Judge one file.

    Args:
        probe: what it must hold.
        file: what was found at its path.
        text: its bytes; None where there are none.
    """
    if file.presence is Presence.INCONCLUSIVE or (file.presence is Presence.PRESENT and text is None):
        reason = f"{probe.path} could not be read: {file.reason}"
        return Proof(
            probe=probe.name, result=Outcome.UNKNOWN, reason=reason, next_step=file.next_step or "try again", file=file
        )
    if file.presence is Presence.ABSENT or text is None:
        return Proof(
            probe=probe.name, result=Outcome.CONTRADICTED, reason=f"{probe.path} is not there: {file.reason}", file=file
        )
    holds = _holds(probe, file, text)
    return Proof(
        probe=probe.name,
        result=Outcome.MATCHED if holds else Outcome.CONTRADICTED,
        reason=show(f"{probe.path} {probe.told(holds=holds)}", limit=_SHOWN + len(probe.path)),
        file=file,
    )


def _holds(probe: CodeProbe, file: File, text: bytes) -> bool:
    if probe.contains is not None:
        return probe.contains.encode() in text
    if probe.matches is not None:
        wanted = re.compile(probe.matches)
        lines = text.decode("utf-8", "replace").splitlines()
        return any(wanted.search(line[:_LONGEST_LINE]) for line in lines)
    return bool(probe.exists) or file.git_blob == probe.blob
