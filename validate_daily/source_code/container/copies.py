"""What the ``COPY`` instructions put into an image, told from the Dockerfile, its build context and .dockerignore."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from validate_daily.source_code.container.dockerfile import BuildStage, Instruction
from validate_daily.source_code.container.dockerignore import Dockerignore, glob_regex
from validate_daily.source_code.python.packages import ancestors, join, parent
from validate_daily.source_code.tree import Tree

_PLAIN_BASES: Final = frozenset({
    "python", "debian", "ubuntu", "alpine", "pypy", "scratch", "buildpack-deps", "fedora", "uv",
})  # fmt: skip
_DISTROLESS: Final = re.compile(r"gcr\.io/distroless/(python3|base|cc)")


@dataclass(frozen=True, slots=True)
class Copied:
    """One file or directory of the context, and where in the image it stands."""

    source: str
    target: str
    folder: bool


@dataclass(slots=True)
class CopiedImage:
    """One stage as it is built from one context.

    Attributes:
        context: the directory of the build context, in the tree.
        workdir: where commands run.
        path: directories of PYTHONPATH.
        copied: what was copied, in order.
        commands: the ``RUN`` instructions, each with where it runs.
        command, entrypoint: what runs, as last given.
        last_copy: the last ``COPY``, or the ``FROM``.
        doubts: why it may hold more than what is seen here.
    """

    tree: Tree
    context: str
    ignored: Dockerignore
    workdir: str = "/"
    path: tuple[str, ...] = ()
    copied: list[Copied] = field(default_factory=list[Copied])
    commands: list[tuple[Instruction, str]] = field(default_factory=list[tuple[Instruction, str]])
    command: Instruction | None = None
    entrypoint: Instruction | None = None
    last_copy: int = 1
    doubts: list[str] = field(default_factory=list[str])

    def source_of(self, target: str) -> str | None:
        """The file of the tree that stands at a path of the image."""
        for each in reversed(self.copied):
            if each.folder and _below(target, each.target):
                path = join_all(each.source, target[len(each.target.rstrip("/")) :].strip("/"))
            elif target == each.target:
                path = each.source
            else:
                continue
            if path in self.tree.files and not self.is_ignored(path):
                return path
        return None

    def holds(self, source: str) -> bool:
        """Whether a file of the tree was copied to anywhere."""
        return not self.is_ignored(source) and any(
            each.source == source or (each.folder and _below(source, each.source)) for each in self.copied
        )

    def has_folder(self, target: str) -> bool:
        """Whether anything was copied to a directory of the image, or below it."""
        return any(
            _below(each.target, target)
            or (each.folder and _below(target, each.target) and self._has_source(each, target))
            for each in self.copied
        )

    def _has_source(self, each: Copied, target: str) -> bool:
        below = join_all(each.source, target[len(each.target.rstrip("/")) :].strip("/"))
        return any(_below(path, below) and not self.is_ignored(path) for path in self.tree.files)

    def is_ignored(self, source: str) -> bool:
        """Whether .dockerignore keeps a file out."""
        return self.ignored.keeps_out(source[len(self.context) :].lstrip("/"))


def contexts_of(dockerfile: str, stages: Sequence[BuildStage], tree: Tree) -> list[str]:
    """The directories that can be the build context: its own or one above, where all that is copied is found."""
    sources = [source for stage in stages for each in stage.instructions for source in _sources(each)]
    return [
        context
        for context in ancestors(parent(dockerfile))
        if all(any(_matches(tree, context, source)) for source in sources if "$" not in source)
    ]


def build(dockerfile: str, stages: Sequence[BuildStage], tree: Tree, context: str) -> dict[str, CopiedImage]:
    """Every stage of a Dockerfile, by name and number."""
    own = tree.texts.get(f"{dockerfile}.dockerignore", tree.texts.get(join(context, ".dockerignore"), ""))
    images: dict[str, CopiedImage] = {}
    for number, stage in enumerate(stages):
        image = _start(stage, images, CopiedImage(tree=tree, context=context, ignored=Dockerignore.read(own)))
        image.last_copy = max(image.last_copy, stage.line)
        for each in stage.instructions:
            _apply(each, image, images)
        if "PYTHONPATH" in stage.values:
            image.path = tuple(each for each in stage.values["PYTHONPATH"].split(":") if each and "$" not in each)
        images[stage.name.lower()] = images[str(number)] = image
    return images


def join_all(folder: str, below: str) -> str:
    """A path in a directory, either of which may be empty."""
    return join(folder, below) if below else folder


def _start(stage: BuildStage, images: dict[str, CopiedImage], image: CopiedImage) -> CopiedImage:
    if before := images.get(stage.base.lower()):
        image.workdir, image.copied, image.commands = before.workdir, [*before.copied], [*before.commands]
        image.command, image.entrypoint, image.doubts = before.command, before.entrypoint, [*before.doubts]
    elif not _is_plain(stage.base):
        image.doubts.append(f"what {stage.base} holds is not known")
    return image


def _is_plain(base: str) -> bool:
    name = base.split("@", maxsplit=1)[0].rsplit("/", 1)[-1].split(":", maxsplit=1)[0]
    return name in _PLAIN_BASES or _DISTROLESS.match(base) is not None


def _apply(each: Instruction, image: CopiedImage, images: dict[str, CopiedImage]) -> None:
    match each.keyword:
        case "WORKDIR":
            image.workdir = posixpath.normpath(posixpath.join(image.workdir, each.value.strip("\"'")))
        case "RUN":
            image.commands.append((each, image.workdir))
        case "COPY" | "ADD":
            image.last_copy = each.line
            _copy(each, image, images)
        case "CMD":
            image.command = each
        case "ENTRYPOINT":
            image.entrypoint, image.command = each, None
        case _:
            pass


def _copy(each: Instruction, image: CopiedImage, images: dict[str, CopiedImage]) -> None:
    *sources, target = each.paths or ("",)
    if "$" in each.value or each.inline or each.flag("exclude") is not None or not sources:
        image.doubts.append(f"line {each.line} copies what is not known before a build")
        return
    into = posixpath.normpath(posixpath.join(image.workdir, target))
    if (origin := each.flag("from")) is not None:
        _copy_between(each, sources, into, image, images.get(origin.lower()))
        return
    for source in sources:
        if (
            "://" in source
            or source.startswith("git@")
            or (each.keyword == "ADD" and source.endswith((".tar", "gz", "xz")))
        ):
            image.doubts.append(f"line {each.line} adds what is not known before a build")
            continue
        found = list(_matches(image.tree, image.context, source))
        several = len(sources) > 1 or len(found) > 1 or target.endswith(("/", ".")) or into == image.workdir
        for path, folder in found:
            place = into if folder or not several else posixpath.join(into, posixpath.basename(path))
            if each.flag("parents") is not None:
                place = posixpath.join(into, path[len(image.context) :].lstrip("/"))
            image.copied.append(Copied(path, place, folder))


def _copy_between(
    each: Instruction, sources: Sequence[str], into: str, image: CopiedImage, origin: CopiedImage | None
) -> None:
    """Copy from another stage: what it copied itself, and what it installed."""
    if origin is None:
        if not re.search(r"(^|/)uv(:|$)", each.flag("from") or ""):
            image.doubts.append(f"line {each.line} copies from an image that is not known")
        return
    image.doubts += [doubt for doubt in origin.doubts if doubt not in image.doubts]
    image.commands += [each for each in origin.commands if each not in image.commands]
    for source in (posixpath.join("/", source) for source in sources):
        for copied in list(origin.copied):
            if _below(copied.target, source):
                rest = copied.target[len(source.rstrip("/")) :]
                image.copied.append(Copied(copied.source, posixpath.normpath(into + rest), copied.folder))
            elif copied.folder and _below(source, copied.target):
                below = join_all(copied.source, source[len(copied.target.rstrip("/")) :].strip("/"))
                image.copied.append(Copied(below, into, below not in image.tree.files))


def _sources(each: Instruction) -> Iterator[str]:
    if each.keyword in {"COPY", "ADD"} and each.flag("from") is None and not each.inline:
        yield from (path for path in each.paths[:-1] if "://" not in path and not path.startswith("git@"))


def _matches(tree: Tree, context: str, source: str) -> Iterator[tuple[str, bool]]:
    """The files and directories of the tree that a source names: paths in the tree, and whether each is a directory."""
    clean = posixpath.normpath(posixpath.join("/", source)).strip("/")
    if not clean:
        yield context, True
        return
    prefix = f"{context}/" if context else ""
    inside = [path for path in tree.files if path.startswith(prefix)]
    if not re.search(r"[*?\[]", clean):
        whole = prefix + clean
        if whole in tree.files:
            yield whole, False
        elif any(path.startswith(f"{whole}/") for path in inside):
            yield whole, True
        return
    pattern, depth = re.compile(re.escape(prefix) + glob_regex(clean)), (prefix + clean).count("/") + 1
    for candidate in sorted({"/".join(path.split("/")[:depth]) for path in inside if path.count("/") + 1 >= depth}):
        if pattern.fullmatch(candidate):
            yield candidate, candidate not in tree.files


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/") or folder in {"", "/"}
