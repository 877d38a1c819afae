"""The error of a source that could not be read. It loads none of Google's packages."""

from checks.evidence.snapshot import Gap


class SourceError(Exception):
    """A source could not be read: the text says why, ``next_step`` what to do. It ends as a gap."""

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.next_step = next_step

    def gap(self, source: str) -> Gap:
        """The same as evidence."""
        return Gap(source=source, reason=str(self), next_step=self.next_step)
