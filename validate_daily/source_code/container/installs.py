"""What a stage installs, read from its ``RUN`` instructions; what cannot be followed is a doubt, never a guess."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from validate_daily.source_code.container.copies import CopiedImage
from validate_daily.source_code.container.dockerfile import Instruction
from validate_daily.source_code.container.shell import commands, program, unwrapped
from validate_daily.source_code.python.packages import join
from validate_daily.source_code.requirements import (
    NOTHING_KNOWN,
    Requirements,
    normal,
    project_requirements,
    requirements_of,
)

_HARMLESS: Final = frozenset({
    "virtualenv", "apt-get", "apt", "apk", "dnf", "yum", "mkdir", "chmod", "chown", "useradd", "adduser", "groupadd",
    "addgroup",
    "usermod", "rm", "echo", "touch", "export", "set", "true", "find", "sed", "locale-gen", "ldconfig",
    "update-ca-certificates", "printf", "ls", "cat", "test", "[", ":", "id", "whoami", "which", "pwd", "umask",
    "sync", "sleep", "if", "then", "fi", "else", "do", "done", "for",
})  # fmt: skip
_WITH_VALUE: Final = frozenset({
    "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target",
    "--prefix", "--root", "--trusted-host", "--proxy", "--timeout", "--retries", "--python-version", "--platform",
    "--implementation", "--abi", "--cache-dir", "--progress-bar", "--only-binary", "--no-binary", "--src", "--python",
    "-p", "--report", "--build-option", "--config-settings", "--upgrade-strategy", "--log", "--cert",
})  # fmt: skip
_PYTHON: Final = re.compile(r"python[\d.]*|pypy[\d.]*")
_HARMLESS_MODULES: Final = tuple(("-m", name) for name in ("venv", "virtualenv", "compileall", "pip", "ensurepip"))
_MOVERS: Final = frozenset(["cp", "mv", "ln", "git", "tar", "unzip", "rsync", "make", "rm", "install"])
_SYSTEM: Final = frozenset({"apt-get", "apt", "apk", "dnf", "yum"})


@dataclass(slots=True)
class Installed:
    """What the commands of one stage do.

    Attributes:
        names: packages that are installed for certain.
        doubts: why there may be more packages.
        movers: commands that may bring or move files of the project.
        not_found: files that are installed from and were not copied.
    """

    image: CopiedImage
    names: frozenset[str] = frozenset()
    doubts: list[str] = field(default_factory=list[str])
    movers: list[str] = field(default_factory=list[str])
    not_found: list[str] = field(default_factory=list[str])


def installed(image: CopiedImage) -> Installed:
    """Follow every ``RUN`` of a stage, and of the stages that it copies from."""
    found = Installed(image, doubts=list(image.doubts), movers=list(image.doubts))
    for run, workdir in image.commands:
        where = workdir
        for words in _simple(run, found):
            if program(words[0]) == "cd" and len(words) > 1:
                where = posixpath.normpath(posixpath.join(where, words[1]))
            else:
                _follow(found, run, where, words)
    return found


def _follow(found: Installed, run: Instruction, where: str, words: tuple[str, ...]) -> None:
    name = program(words[0])
    if (arguments := _pip(words)) is not None:
        _pip_install(found, run, where, arguments)
    elif name in _SYSTEM:
        found.names |= {normal(word.removeprefix("python3-").removeprefix("py3-")) for word in words[1:]}
    elif not _is_harmless(words):
        found.doubts.append(f"what {name} brings in line {run.line} is not known before a build")
        if name in _MOVERS or "/" in words[0]:
            found.movers.append(f"what {name} does in line {run.line} is not known before a build")


def _simple(run: Instruction, found: Installed) -> Iterator[tuple[str, ...]]:
    if run.words is not None:
        yield from unwrapped(run.words)
        return
    for text in run.inline or (run.value,):
        simple = commands(text)
        if simple is None:
            found.doubts.append(f"line {run.line} is no command that can be taken apart")
        for words in simple or ():
            yield from unwrapped(words)


def _pip(words: tuple[str, ...]) -> list[str] | None:
    """The arguments of ``pip install``; None if that is not what it is."""
    rest = list(words)
    if _PYTHON.fullmatch(program(rest[0])) and rest[1:3] == ["-m", "pip"]:
        rest = rest[2:]
    elif program(rest[0]) == "uv" and rest[1:2] == ["pip"]:
        rest = rest[1:]
    if not re.fullmatch(r"pip[\d.]*", program(rest[0])):
        return None
    actions = [at for at, word in enumerate(rest) if word in {"install", "wheel"}]
    return rest[actions[0] + 1 :] if actions else None


def _pip_install(found: Installed, run: Instruction, where: str, arguments: list[str]) -> None:
    pending = list(arguments)
    while pending:
        word = pending.pop(0)
        option, given, value = word.partition("=")
        if option in {"-r", "--requirement"}:
            _file(found, run, posixpath.join(where, value if given else (pending or [""]).pop(0)))
        elif word.startswith("-r"):
            _file(found, run, posixpath.join(where, word[len("-r") :]))
        elif word in {"-e", "--editable"}:
            _project(found, run, posixpath.join(where, (pending or [""]).pop(0)))
        elif word in _WITH_VALUE:
            (pending or [""]).pop(0)
        elif word.startswith((".", "/")):
            _path(found, run, where, word)
        elif not word.startswith("-"):
            _one(found, run, word)


def _one(found: Installed, run: Instruction, word: str) -> None:
    one = Requirements.some([word])
    found.names |= one.names
    if not one.whole:
        found.doubts.append(f"what {word} in line {run.line} brings is not known")


def _path(found: Installed, run: Instruction, where: str, word: str) -> None:
    """A directory of one's own; a folder of wheels, as another stage makes it, is told in that stage."""
    if word.endswith((".whl", ".gz", ".zip")) and "*" not in word:
        found.doubts.append(f"which package {word} in line {run.line} is, is not known")
    elif "*" not in word:
        _project(found, run, posixpath.join(where, word.split("[", maxsplit=1)[0]))


def _file(found: Installed, run: Instruction, target: str) -> None:
    image = found.image
    source = _bound(image, run, target) or image.source_of(posixpath.normpath(target))
    if source is None or source not in image.tree.texts:
        found.doubts.append(f"{target}, which line {run.line} installs, is not found in what was copied")
        found.not_found.append(target)
        return
    listed = requirements_of(source, image.tree.texts)
    found.names |= listed.names
    if not listed.whole:
        found.doubts.append(f"{source} names or includes what cannot be followed")


def _bound(image: CopiedImage, run: Instruction, target: str) -> str | None:
    """A file that is only there while the command runs: ``--mount=type=bind,source=…,target=…``."""
    for name, value in run.flags:
        parts = {part.partition("=")[0]: part.partition("=")[2] for part in value.split(",")}
        given = parts.get("source", parts.get("src", ""))
        held = posixpath.join(image.workdir, parts.get("target", parts.get("dst", parts.get("destination", given))))
        if name == "mount" and parts.get("type") == "bind" and "from" not in parts:
            path = join(image.context, given.strip("/"))
            if posixpath.normpath(held) == posixpath.normpath(target):
                return path
    return None


def _project(found: Installed, run: Instruction, target: str) -> None:
    """A project of one's own and what it needs: its modules are installed then, and no COPY need hold them."""
    found.movers.append(f"line {run.line} installs a project, with its modules")
    source = found.image.source_of(posixpath.normpath(posixpath.join(target, "pyproject.toml")))
    needs = NOTHING_KNOWN if source is None else project_requirements(found.image.tree.texts.get(source, ""))
    found.names |= needs.names
    if not needs.whole:
        found.doubts.append(f"what the project that line {run.line} installs needs is not known")


def _is_harmless(words: tuple[str, ...]) -> bool:
    name = program(words[0])
    if _PYTHON.fullmatch(name):
        return words[1:3] in _HARMLESS_MODULES or words[1:2] in {
            ("-c",),
            ("--version",),
        }
    return name in _HARMLESS or re.fullmatch(r"pip[\d.]*", name) is not None or words[1:2] == ("--version",)
