"""A directory that is imported as a package and has no ``__init__.py`` is left out by what looks for packages.

Severity: P1: setuptools' find_packages, zipped deploys and many tools pass such a directory by without a word, and its
import then fails only where it was deployed to.
"""

from collections.abc import Iterator

from validate_daily.source_code.finding import CodeFinding, CodeSeverity
from validate_daily.source_code.project import Project
from validate_daily.source_code.python.packages import INIT, join
from validate_daily.source_code.python.uninitialized import uninitialized


def missing_init(project: Project) -> Iterator[CodeFinding]:
    """One finding for each directory, at the first import that leads through it."""
    for each in uninitialized(project.tree, project.packages):
        others = f" ({each.more} more imports lead through it)" if each.more else ""
        yield CodeFinding(
            rule="missing-init",
            path=each.importer.path,
            line=each.first.line,
            column=each.first.column,
            severity=CodeSeverity.P1,
            reason=f"{each.folder}/ is imported here as a package and has no {INIT}{others}: "
            "what collects packages leaves it out, and the import fails where it is deployed",
            fix=f"add {join(each.folder, INIT)}; "
            "if it is meant as a namespace package, say so where the project is declared",
        )
