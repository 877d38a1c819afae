"""A command that repairs or explains: complete, so that whoever reads a report can run it as it stands."""

from enum import StrEnum

from checks.evidence.base import Evidence, Untrusted


class CommandEffect(StrEnum):
    """What running a command does: it reads, makes a plan, changes something, or grants a permission."""

    READ = "read"
    PLAN = "plan"
    CHANGE = "change"
    GRANT = "grant"


class Command(Evidence):
    """A command with all its arguments, the program first, as a list that needs no quoting."""

    arguments: tuple[Untrusted, ...]
    effect: CommandEffect
