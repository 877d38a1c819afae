"""A package that the code imports and no COPY takes along is missing in the image alone, where nobody tries the import.

Severity: P1: the container ends, or goes on without what it could not import. The walk begins with the modules that the
command names and follows every import. A finding holds from every directory that can be the build context.
"""

from collections.abc import Iterator

from validate_daily.source_code.container.builds import Build
from validate_daily.source_code.container.reach import LeftOut
from validate_daily.source_code.finding import CodeFinding, CodeJudgement, CodeSeverity, Unsure
from validate_daily.source_code.project import Project

_RULE = "copy-leaves-out-package"


def copy_leaves_out_package(project: Project) -> Iterator[CodeJudgement]:
    """One finding for each package that a Dockerfile leaves out, at its last ``COPY``."""
    for build in project.builds:
        if build.ways:
            yield from _in_build(build)
        elif build.about_python:
            reason = "what it copies is found from no directory that could be the build context"
            yield Unsure(rule=_RULE, path=build.path, line=build.line, reason=reason)


def _in_build(build: Build) -> Iterator[CodeJudgement]:
    found = [
        {(way.image.last_copy, each.what): (way, each) for way in images for each in way.left_out}
        for images in build.ways
    ]
    for line, what in sorted(place for place in found[0] if all(place in each for each in found)):
        way, left_out = found[0][line, what]
        if movers := way.installed.movers:
            yield Unsure(rule=_RULE, path=build.path, line=line, reason=f"whether {what} is in the image: {movers[0]}")
        else:
            yield _finding(build.path, line, left_out)


def _finding(path: str, line: int, left_out: LeftOut) -> CodeFinding:
    by = f"{left_out.importer}, line {left_out.line}, imports it" if left_out.line else "the command begins with it"
    how = ".dockerignore keeps it out" if left_out.ignored else "no COPY of this stage takes it along"
    return CodeFinding(
        rule=_RULE,
        path=path,
        line=line,
        severity=CodeSeverity.P1,
        reason=f"{left_out.what} is not in the image: {by}, and {how}",
        fix="take the line out of .dockerignore" if left_out.ignored else f"add a COPY of {left_out.what}",
    )
