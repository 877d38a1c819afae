"""Documents that are those of a missing processor under another spelling of its name."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from checks.evidence.snapshot import Family, Snapshot
from checks.settings.heartbeats import Processor

_BETWEEN: Final = re.compile(r"[-_. ]+")
_ALIKE: Final = str.maketrans("аеорсухіјѕԁһӏɡοаϲ", "aeopcyxijsdhlgoac")  # noqa: RUF001 - letters that look like Latin ones
"""Letters of other alphabets that look like small Latin ones."""


def twins(snapshot: Snapshot, processor: Processor) -> list[Family]:
    """The documents that nobody registered and that are, by their id or their own word, those of a processor.

    An id is another spelling of a name where it differs from it in case, in what separates words, in forms of the same
    letters, or in letters of another alphabet that look alike.
    """
    return list(_twins(snapshot, processor))


def _twins(snapshot: Snapshot, processor: Processor) -> Iterator[Family]:
    registered = snapshot.pipeline.heartbeats.registered
    spelt = {_spelling(name) for name in processor.names}
    for family in snapshot.census.families if snapshot.census else ():
        if family.processor in registered:
            continue
        says = family.newest.name if family.newest else None
        if _spelling(family.processor) in spelt or says in processor.names:
            yield family


def _spelling(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).translate(_ALIKE)
    return _BETWEEN.sub("", folded)
