"""A container whose command needs a package that nothing installs starts nowhere, and says so only after the deploy.

Severity: P1: the revision never becomes ready. What base images, scripts and lock files bring cannot be told from here,
and is said to be unsure instead of being guessed.
"""

import posixpath
from collections.abc import Iterator

from validate_daily.source_code.container.builds import Build
from validate_daily.source_code.container.command import brings, split_line
from validate_daily.source_code.container.installs import Installed
from validate_daily.source_code.finding import CodeFinding, CodeJudgement, CodeSeverity, Unsure
from validate_daily.source_code.project import Project
from validate_daily.source_code.python.packages import join, parent
from validate_daily.source_code.requirements import Requirements, project_requirements, requirements_of

_RULE = "command-needs-package"


def command_needs_package(project: Project) -> Iterator[CodeJudgement]:
    """One finding for each package that a Dockerfile or a Procfile runs and does not install."""
    for build in project.builds:
        yield from _in_dockerfile(build)
    for path, text in project.tree.texts.items():
        if posixpath.basename(path) == "Procfile":
            yield from _in_procfile(project, path, text)


def _in_dockerfile(build: Build) -> Iterator[CodeJudgement]:
    told: dict[tuple[int, str], list[Installed]] = {}
    for way in (way for images in build.ways for way in images):
        for command in way.commands:
            for package in command.needs:
                told.setdefault((command.line, package), []).append(way.installed)
    for (line, package), haves in told.items():
        if any(brings(have.names, package) for have in haves):
            continue
        doubts = [doubt for have in haves for doubt in have.doubts]
        if doubts:
            yield Unsure(rule=_RULE, path=build.path, line=line, reason=f"whether {package} is installed: {doubts[0]}")
        else:
            yield _finding(build.path, line, package, "nothing that this Dockerfile installs brings it")


def _in_procfile(project: Project, path: str, text: str) -> Iterator[CodeJudgement]:
    """A buildpack installs the requirements.txt beside the Procfile, or what its pyproject.toml needs."""
    have = _beside(project, parent(path))
    if have is None:
        return
    for number, line in enumerate(text.splitlines(), start=1):
        process, colon, command = line.partition(":")
        if not colon or process.lstrip().startswith("#"):
            continue
        for package in {package for each in split_line(number, command) for package in each.needs}:
            if not brings(have.names, package):
                told = "the requirements beside this Procfile do not bring it"
                yield (
                    _finding(path, number, package, told)
                    if have.whole
                    else Unsure(
                        rule=_RULE, path=path, line=number, reason=f"whether {package} is among the requirements"
                    )
                )


def _beside(project: Project, folder: str) -> Requirements | None:
    texts = project.tree.texts
    if (path := join(folder, "requirements.txt")) in texts:
        return requirements_of(path, texts)
    if (path := join(folder, "pyproject.toml")) in texts:
        return project_requirements(texts[path])
    return None


def _finding(path: str, line: int, package: str, told: str) -> CodeFinding:
    return CodeFinding(
        rule=_RULE,
        path=path,
        line=line,
        severity=CodeSeverity.P1,
        reason=f"this command needs {package}, and {told}: the container ends as soon as it starts",
        fix=f"add {package} to the requirements that are installed there",
    )
