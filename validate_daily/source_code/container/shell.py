"""Commands as a shell would take them apart, as far as that can be told without running one."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

_BETWEEN: Final = frozenset(";&|()\n")
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|([A-Za-z_]\w*))")
_REDIRECTION: Final = re.compile(r"\d?>&\d|&>>?\s*\S+|\d?>>?\s*[^\s;&|]+")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_SHELLS: Final = frozenset({"sh", "bash", "ash", "dash", "zsh"})
_WRAPPERS: Final = frozenset({"exec", "env", "tini", "dumb-init", "nohup", "--", "time", "catatonit", "command"})


def expand(text: str, values: Mapping[str, str]) -> str:
    """Put known values in for ``$NAME``, ``${NAME}`` and ``${NAME:-default}``; what is not known stays as it is."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        return values.get(name, match[2] if match[2] is not None else match[0])

    return _VARIABLE.sub(value, text)


def commands(line: str) -> list[tuple[str, ...]] | None:
    """The simple commands of a line, with the words of each; None if quotes do not end."""
    lexer = shlex.shlex(_REDIRECTION.sub(" ", line), posix=True, punctuation_chars=";&|()\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    found: list[tuple[str, ...]] = []
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= _BETWEEN and word:
                found.append(tuple(words))
                words = []
            else:
                words.append(word)
    except ValueError:
        return None
    return [each for each in [*found, tuple(words)] if each]


def unwrapped(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The commands that really run, without ``exec``, ``env A=b`` or ``tini --``; what ``sh -c`` gets, taken apart."""
    rest = list(words)
    while rest and (program(rest[0]) in _WRAPPERS or _ASSIGNMENT.match(rest[0])):
        wrapper = program(rest.pop(0))
        while wrapper in {"tini", "dumb-init", "env"} and rest and rest[0].startswith("-") and rest[0] != "--":
            rest.pop(0)
    flags = rest[1:2]
    if rest and program(rest[0]) in _SHELLS and flags and re.fullmatch(r"-[a-z]*c", flags[0]) and len(rest) > len("-c"):
        for inner in commands(rest[2]) or ():
            yield from unwrapped(inner)
    elif rest:
        yield tuple(rest)


def program(word: str) -> str:
    """The name of a program, without its directory."""
    return word.rsplit("/", 1)[-1]
