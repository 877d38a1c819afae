"""Compares the bytes of a file with what a code probe looks for."""

import re
from typing import Final

from checks.evidence.images import File, Presence, ProbedFile
from checks.settings.code_probe import CodeProbe

_LONGEST_LINE: Final = 2_000


def probed_file(probe: CodeProbe, file: File, text: bytes | None) -> ProbedFile:
    """Whether a file is as a probe wants it.

    Args:
        probe: what it must hold.
        file: what was found at its path.
        text: its bytes; None where there are none.
    """
    if file.presence is Presence.PRESENT and text is not None:
        holds = _holds(probe, file, text)
    else:
        holds = False if file.presence is Presence.ABSENT else None
    return ProbedFile(probe=probe, file=file, holds=holds)


def _holds(probe: CodeProbe, file: File, text: bytes) -> bool:
    if probe.contains is not None:
        return probe.contains.encode() in text
    if probe.matches is not None:
        wanted = re.compile(probe.matches)
        lines = text.decode("utf-8", "replace").splitlines()
        return any(wanted.search(line[:_LONGEST_LINE]) for line in lines)
    return bool(probe.exists) or file.git_blob == probe.blob
