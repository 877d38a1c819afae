"""The table of rules about source code: one rule, one file, one name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from checks.code.finding import Told
from checks.code.project import Project
from checks.code.rules.command_needs_package import command_needs_package
from checks.code.rules.copy_leaves_out_package import copy_leaves_out_package
from checks.code.rules.missing_init import missing_init
from checks.code.rules.run_scoped_heartbeat_id import run_scoped_heartbeat_id
from checks.code.rules.swallowed_import_error import swallowed_import_error


@dataclass(frozen=True, slots=True)
class CodeRule:
    """One rule: a pure function from a project to what it says."""

    judge: Callable[[Project], Iterator[Told]]

    @property
    def name(self) -> str:
        """The one name of the rule: its file, its findings, its test, its heading in docs/source.md."""
        return self.judge.__name__.replace("_", "-")


RULES: Final = (
    CodeRule(missing_init),
    CodeRule(swallowed_import_error),
    CodeRule(run_scoped_heartbeat_id),
    CodeRule(command_needs_package),
    CodeRule(copy_leaves_out_package),
)
