"""What a watch over the heartbeats saw, and who runs whose processors."""

from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence, Untrusted
from checks.judge.verdict import ExitCode


class RegrownProcessor(Evidence):
    """What one processor wrote in the old format while it was watched, and what runs it by the settings."""

    processor: Untrusted
    count: Count
    service: str | None


class WatchResult(Evidence):
    """What a watch saw.

    Attributes:
        since, until: Firestore's time of the first and the last look.
        looks: how often was looked.
        grown: who wrote malformed documents in that time, most first; empty where nobody did.
        sample: some of the documents' ids.
        unseen: why the watch broke off, where it did.
    """

    since: AwareDatetime
    until: AwareDatetime
    looks: Count
    grown: tuple[RegrownProcessor, ...] = ()
    sample: tuple[Untrusted, ...] = ()
    unseen: str | None = None

    @property
    def exit_code(self) -> int:
        """0 nothing grew, 1 something did, 3 it was not seen to the end."""
        if self.grown:
            return 1
        return ExitCode.UNKNOWN if self.unseen else 0
