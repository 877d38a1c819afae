"""The Dockerfiles of a tree, each with the images that it may make and what these run, install and leave out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from validate_daily.source_code.container.command import ContainerCommand, commands_of
from validate_daily.source_code.container.copies import CopiedImage, build, contexts_of
from validate_daily.source_code.container.dockerfile import BuildStage, read_dockerfile
from validate_daily.source_code.container.installs import Installed, installed
from validate_daily.source_code.container.reach import LeftOut, Reach
from validate_daily.source_code.python.packages import Packages
from validate_daily.source_code.tree import Tree, is_dockerfile

_RUNS: Final = frozenset({"CMD", "ENTRYPOINT"})


@dataclass(frozen=True, slots=True)
class Way:
    """One image, as it is built from one context.

    Attributes:
        image: what was copied.
        installed: what its commands install.
        commands: what it runs.
        left_out: what is imported from the first modules on, and was not copied.
        begun: whether a first module was found.
    """

    image: CopiedImage
    installed: Installed
    commands: tuple[ContainerCommand, ...]
    left_out: tuple[LeftOut, ...]
    begun: bool

    @property
    def oddity(self) -> int:
        """How much speaks against its context: files to install from, or a first module, that are not there."""
        return len(self.installed.not_found) + (not self.begun)


@dataclass(frozen=True, slots=True)
class Build:
    """One Dockerfile.

    Attributes:
        path: where it stands.
        line: of its first stage.
        about_python: whether anything says that it is about Python.
        ways: for each directory that may be its build context, the last stage and others that have a command; none if
            what it copies is found from no directory.
    """

    path: str
    line: int
    about_python: bool
    ways: tuple[tuple[Way, ...], ...]


def builds_of(tree: Tree, packages: Packages) -> Iterator[Build]:
    """Every Dockerfile that has a stage."""
    for path, text in sorted(tree.texts.items()):
        if is_dockerfile(path) and (stages := read_dockerfile(text)):
            ways = [_ways(path, stages, packages, tree, context) for context in contexts_of(path, stages, tree)]
            about_python = any("python" in stage.base or "uv" in stage.base for stage in stages)
            yield Build(path, stages[0].line, about_python, tuple(_likeliest(ways)))


def _likeliest(ways: list[tuple[Way, ...]]) -> Iterator[tuple[Way, ...]]:
    """Those against which least speaks: a Dockerfile that copies everything could be built from any directory."""
    odd = [sum(way.oddity for way in images) for images in ways]
    yield from (images for images, oddity in zip(ways, odd, strict=True) if oddity == min(odd))


def _ways(path: str, stages: Sequence[BuildStage], packages: Packages, tree: Tree, context: str) -> tuple[Way, ...]:
    images = build(path, stages, tree, context)
    return tuple(
        _way(images[str(number)], packages)
        for number, stage in enumerate(stages)
        if number == len(stages) - 1 or any(told.keyword in _RUNS for told in stage.instructions)
    )


def _way(image: CopiedImage, packages: Packages) -> Way:
    have = installed(image)
    commands = tuple(commands_of(image))
    reach = Reach(packages=packages, image=image, installed=have.names)
    left_out = tuple(reach.walk(entry for command in commands for entry in command.entry_points))
    return Way(image, have, commands, left_out, reach.begun)
