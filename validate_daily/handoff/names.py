"""What people call the services and jobs of the settings. A document's words are looked up here, and nowhere else."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final, Self

from checks.settings.pipeline import Pipeline
from validate_daily.handoff.claim import ALL_JOBS, ALL_SERVICES

_SHORTEST: Final = 6
_PHASES: Final = re.compile(
    r"(?<![\w/.-])phases?[ -]?(\d{1,2})((?:\s*(?:,|&|/|and|or|\+)\s*(?:phase[ -]?)?\d{1,2})*)(\+)?",
    re.IGNORECASE | re.ASCII,
)
_ALL_SERVICES: Final = re.compile(
    r"\b(?:all|any) (?:\w+ ){0,2}services?\b|\bservices deployed: all\b", re.IGNORECASE | re.ASCII
)
_JOBS: Final = re.compile(r"\b(?:all|backfill|cloud run|\d+\+?)(?: \w+){0,3} jobs\b", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one pipeline's services and jobs, and what else they are called.

    Attributes:
        exact: every full name, in lower case, and the name itself.
        services: the names of services.
        short: words that mean one service: ``scrapers`` for ``nba-scrapers``.
        phases: the services of a phase, by its number.
    """

    exact: dict[str, str]
    services: frozenset[str]
    short: dict[str, str]
    phases: dict[int, tuple[str, ...]]

    @classmethod
    def of(cls, pipeline: Pipeline) -> Self:
        """The names that these settings give."""
        services = [each.name for each in pipeline.services]
        exact = {name.lower(): name for name in (*services, *(each.name for each in pipeline.jobs))}
        lasts = Counter(name.rpartition("-")[2].lower() for name in services)
        short = {name.replace("-", " ").lower(): name for name in services}
        short |= {
            last: name
            for name in services
            if lasts[last := name.rpartition("-")[2].lower()] == 1 and len(last) >= _SHORTEST
        }
        phases: dict[int, tuple[str, ...]] = {}
        for name in services:
            if found := re.search(r"phase-?(\d{1,2})", name, re.ASCII):
                phases[int(found[1])] = (*phases.get(int(found[1]), ()), name)
        return cls(exact, frozenset(services), short, phases)

    def within(self, text: str) -> list[str]:
        """The subjects that a sentence names, each once; ``all services`` and ``all jobs`` stand for themselves."""
        low = text.lower()
        found = [name for word, name in self.exact.items() if _stands(word, low)]
        found += self._phases(low)
        found += [name for word, name in self.short.items() if _stands(word, low)]
        if not found and _ALL_SERVICES.search(low):
            found.append(ALL_SERVICES)
        if not found and _JOBS.search(low):
            found.append(ALL_JOBS)
        return list(dict.fromkeys(found))

    def _phases(self, low: str) -> list[str]:
        """The services of ``phase 3``, ``phases 3 and 4`` or ``phase 2+``."""
        found: list[str] = []
        for first, others, more in _PHASES.findall(low):
            numbers = [int(first), *map(int, re.findall(r"\d{1,2}", others))]
            if more:
                numbers = [number for number in sorted(self.phases) if number >= numbers[-1]]
            found += [name for number in numbers for name in self.phases.get(number, ())]
        return found


def _stands(word: str, text: str) -> bool:
    """Whether a word of the settings stands in a text by itself: not as a part of a longer name."""
    start = text.find(word)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(word) : start + len(word) + 1]
        if not (before.isalnum() or before in {"-", "_"} or after.isalnum() or after in {"-", "_"}):
            return True
        start = text.find(word, start + 1)
    return False
