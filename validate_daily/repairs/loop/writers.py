"""Who still writes malformed documents after a fix serves: the image, a job, an old revision, or nobody knows who."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from checks.evidence.deployments import is_execution_of
from checks.sources.errors import SourceError
from checks.text.show import show
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.loop.right_since import RightSince
from validate_daily.repairs.stores.documents import Documents

_SAMPLE: Final = 10
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class GrowthNow:
    """Malformed documents that were created lately.

    Attributes:
        ids: the documents, the newest first.
        families: how many each processor wrote.
    """

    ids: tuple[str, ...]
    families: Counter[str]

    @property
    def told(self) -> str:
        """Who wrote how many."""
        return ", ".join(f"{show(name, limit=200)} ({count:,})" for name, count in self.families.most_common(_NAMED))


@dataclass(frozen=True, slots=True)
class Blame:
    """Who writes, in a sentence, and what to do."""

    who: str
    next_step: str


async def blame(session: DocumentSession, service: str, right: RightSince, growth: GrowthNow) -> Blame:
    """Ask the newest documents who wrote them. An image whose files hold the fix is never blamed without their word."""
    named = await _revisions(session, growth.ids[:_SAMPLE])
    jobs = {writer: job for writer in named for job in right.following if is_execution_of(writer, job) or writer == job}
    if jobs:
        writer, job = next(iter(jobs.items()))
        return Blame(
            f"they say that {show(writer, limit=100)} wrote them, an execution of the job {job}",
            f"look at what {job} runs with validate-daily jobs; wait until executions from before its update are over",
        )
    if old := next((each for each in named if each not in right.revisions and each.startswith(f"{service}-")), None):
        return Blame(
            f"they say that the old revision {show(old, limit=100)} wrote them, which gets no traffic any more",
            "run again in an hour; if it goes on, something still calls that revision by its own address",
        )
    if serving := next((each for each in named if each in right.revisions), None):
        files = ", although its files hold the fix" if right.proved else ""
        step = "look for what else in it names documents" if right.proved else "build it anew without a cache"
        return Blame(f"they say that {serving} wrote them, which serves{files}: it is the image", f"{service}: {step}")
    if right.proved:
        return Blame(
            f"who writes them is unknown: they do not say it, and the files of what {service} serves hold the fix",
            "look for an old revision that still answers, or a job or program that the settings do not name: "
            "validate-daily jobs, validate-daily check",
        )
    return Blame(
        "who writes them is unknown: they do not say it, and no code probe has proved what the image holds",
        f"if it is what {service} serves, it is not the fix, whatever its tag says: build it anew without a cache; "
        f"else look at the jobs that follow it",
    )


async def _revisions(session: DocumentSession, ids: Sequence[str]) -> list[str]:
    """The writers that documents name, the most frequent first; none where they cannot be read."""
    prefix = f"{session.root}/{session.settings.pipeline.heartbeats.collection}/"
    store = Documents(session.connection, session.budget, session.bill)
    try:
        found = await store.read(prefix + each for each in ids)
    except SourceError:
        return []
    writers = Counter[str]()
    for each in found.values():
        if "revision" in each.fields:
            writers[str(each.fields["revision"].string_value)] += 1
    return [writer for writer, _ in writers.most_common() if writer]
