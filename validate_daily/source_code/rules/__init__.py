"""The ordered table of rules about source code: one rule, one file, one name.

May import the project and the rooms that it is made of.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from validate_daily.source_code.finding import CodeJudgement
from validate_daily.source_code.project import Project
from validate_daily.source_code.rules.command_needs_package import command_needs_package
from validate_daily.source_code.rules.copy_leaves_out_package import copy_leaves_out_package
from validate_daily.source_code.rules.missing_init import missing_init
from validate_daily.source_code.rules.run_scoped_heartbeat_id import run_scoped_heartbeat_id
from validate_daily.source_code.rules.swallowed_import_error import swallowed_import_error

Judge = Callable[[Project], Iterator[CodeJudgement]]


@dataclass(frozen=True, slots=True)
class CodeRule:
    """One rule: a pure function from a project to what it says, and what code scanning tells of it."""

    judge: Judge
    about: str
    help: str

    @property
    def name(self) -> str:
        """The one name of the rule: its file, its findings, its test, its heading in docs/source.md."""
        return self.judge.__name__.replace("_", "-")


RULES: Final = (
    CodeRule(
        missing_init,
        "A directory is imported as a package and has no __init__.py",
        "What collects packages leaves such a directory out, and the import fails where it is deployed. Add an "
        "__init__.py, or declare the namespace package in pyproject.toml, setup.cfg or setup.py.",
    ),
    CodeRule(
        swallowed_import_error,
        "A failed import switches a feature off, and nothing says so",
        "The project's own modules and the packages that it requires are not optional. Let the import fail, or log "
        "the error at warning or above.",
    ),
    CodeRule(
        run_scoped_heartbeat_id,
        "The id of a heartbeat is another one for each run",
        "One document for every run piles up. Use the processor's name as the id, and write run and date into fields.",
    ),
    CodeRule(
        command_needs_package,
        "The command of a container needs a package that nothing installs",
        "The container ends as soon as it starts. Add the package to the requirements that are installed there.",
    ),
    CodeRule(
        copy_leaves_out_package,
        "A package is imported and no COPY takes it into the image",
        "The import fails in the image alone. Add a COPY of the package, or take it out of .dockerignore.",
    ),
)

ABOUT: Final[dict[str, tuple[str, str]]] = {
    **{rule.name: (rule.about, rule.help) for rule in RULES},
    "allowance-without-reason": (
        "A comment allows a finding and does not say why",
        "Write # validate-daily: allow[rule] and then the reason. Without one, nothing is allowed.",
    ),
    "unused-allowance": (
        "A comment allows what is not there",
        "What was allowed once must not hide what comes later. Take the comment out.",
    ),
}
"""What code scanning tells of each name that a finding can have: what it is about, and what helps."""
