"""A Dockerfile taken apart: its stages, their instructions and lines, with Docker's own continuations and variables."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, cast

from validate_daily.source_code.container.shell import commands, expand

_ESCAPE: Final = re.compile(r"#\s*escape\s*=\s*([\\`])\s*$", re.IGNORECASE)
_HEREDOC: Final = re.compile(r"<<-?\s*([\"']?)([A-Za-z_]\w*)\1")
_FROM: Final = re.compile(r"(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE)
_FLAG: Final = re.compile(r"--([a-z-]+)(?:=(\S+))?\s+")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: in capitals.
        value: what follows it, in one line, without flags; variables that are known are put in.
        line: where it begins, counted from 1.
        flags: as ``--from=builder``.
        inline: the texts of its heredocs.
    """

    keyword: str
    value: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    inline: tuple[str, ...] = ()

    def flag(self, name: str) -> str | None:
        """The value of a flag; None if it is not given."""
        return dict(self.flags).get(name)

    @property
    def words(self) -> tuple[str, ...] | None:
        """The words of the JSON form; None in the other one."""
        if not self.value.startswith("["):
            return None
        try:
            read: object = json.loads(self.value)
        except (ValueError, RecursionError):
            return None
        words = cast("list[object]", read) if isinstance(read, list) else []
        return tuple(word for word in words if isinstance(word, str))

    @property
    def paths(self) -> tuple[str, ...]:
        """The words of a ``COPY``, in either form."""
        if self.words is not None:
            return self.words
        split = commands(self.value)
        return split[0] if split else ()


@dataclass(slots=True)
class BuildStage:
    """What one ``FROM`` begins."""

    base: str
    name: str
    line: int
    instructions: list[Instruction] = field(default_factory=list[Instruction])
    values: dict[str, str] = field(default_factory=dict[str, str])


def read_dockerfile(text: str) -> tuple[BuildStage, ...]:
    """Its stages, in order. What is no Dockerfile has none."""
    stages: list[BuildStage] = []
    outside: dict[str, str] = {}
    for raw in _instructions(text):
        values = stages[-1].values if stages else outside
        told = _with_flags(raw, values)
        if told.keyword == "FROM":
            if matched := _FROM.match(expand(told.value, outside)):
                stages.append(_begin(stages, matched[1], matched[2] or str(len(stages)), told.line))
            continue
        if told.keyword in {"ARG", "ENV"}:
            _remember(told, values, outside)
        if stages:
            stages[-1].instructions.append(told)
    return tuple(stages)


def _begin(before: list[BuildStage], base: str, name: str, line: int) -> BuildStage:
    """A stage, with the environment of the one that it is built on."""
    own = [stage.values for stage in before if stage.name.lower() == base.lower()]
    return BuildStage(base, name, line, values=dict(own[-1]) if own else {})


def _remember(told: Instruction, values: dict[str, str], outside: dict[str, str]) -> None:
    split = commands(told.value)
    words = split[0] if split else ()
    if told.keyword == "ENV" and len(words) > 1 and "=" not in words[0]:
        values[words[0]] = " ".join(words[1:])
        return
    for word in words:
        name, given, value = word.partition("=")
        if given:
            values[name] = value
        elif told.keyword == "ARG" and name in outside:
            values[name] = outside[name]


def _with_flags(raw: Instruction, values: dict[str, str]) -> Instruction:
    rest, flags = raw.value, list[tuple[str, str]]()
    while matched := _FLAG.match(rest):
        flags.append((matched[1], expand(matched[2] or "", values)))
        rest = rest[matched.end() :]
    return Instruction(raw.keyword, expand(rest, values).strip(), raw.line, tuple(flags), raw.inline)


def _instructions(text: str) -> Iterator[Instruction]:
    lines = text.splitlines()
    escape = next((found[1] for line in lines[:5] if (found := _ESCAPE.match(line))), "\\")
    at = 0
    while at < len(lines):
        begun = at
        pieces: list[str] = []
        while at < len(lines):
            line = lines[at]
            at += 1
            if line.lstrip().startswith("#") or (pieces and not line.strip()):
                continue
            whole = line.rstrip()
            if not pieces:
                begun = at - 1
            pieces.append(whole.removesuffix(escape))
            if not whole.endswith(escape):
                break
        keyword, _, value = " ".join(piece.strip() for piece in pieces).strip().partition(" ")
        inline: list[str] = []
        if keyword.upper() in {"RUN", "COPY", "ADD"}:
            for _, end in _HEREDOC.findall(value):
                body, at = _until(lines, at, end)
                inline.append(body)
        if keyword:
            yield Instruction(keyword.upper(), value.strip(), begun + 1, inline=tuple(inline))


def _until(lines: list[str], at: int, end: str) -> tuple[str, int]:
    for index in range(at, len(lines)):
        if lines[index].strip() == end:
            return "\n".join(lines[at:index]), index + 1
    return "\n".join(lines[at:]), len(lines)
