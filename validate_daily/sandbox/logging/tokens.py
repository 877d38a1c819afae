"""The words of the Cloud Logging query language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, NoReturn

from validate_daily.sandbox.errors import invalid, unimplemented


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    QUOTED = auto()
    OPERATOR = auto()
    OPEN = auto()
    CLOSE = auto()
    MINUS = auto()
    DOT = auto()
    STAR = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it stands. ``text`` is what a quoted one means; ``spaced`` says that a gap comes before it."""

    kind: Kind
    text: str
    at: int
    spaced: bool = True


KEYWORDS: Final = frozenset({"AND", "OR", "NOT"})
_TOKEN: Final = re.compile(
    r"""(?P<gap>(?:\s|--[^\n]*)*)
    (?:
        (?P<QUOTED>"(?:[^"\\]|\\.)*")
      | (?P<OPERATOR>=~|!~|!=|>=|<=|=|<|>|:)
      | (?P<OPEN>\() | (?P<CLOSE>\)) | (?P<MINUS>-) | (?P<DOT>\.) | (?P<STAR>\*)
      | (?P<WORD>[\w%/@+](?:[\w%/@+.]|-(?!-))*)
      | (?P<END>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_GAP: Final = re.compile(r"(?:\s|--[^\n]*)*")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{3})|(.))", re.DOTALL)
_ESCAPED: Final = {
    '"': '"', "'": "'", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_FUNCTIONS: Final = frozenset({"cast", "ip_in_net", "log_id", "regexp_extract", "sample", "search", "source"})
_MAX_UNICODE: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def tokens(text: str) -> Iterator[Token]:
    """Cut a filter into tokens; the last is an END."""
    place = 0
    while True:
        match = _TOKEN.match(text, place)
        if match is None:
            start = _gap_end(text, place)
            fail(text, start, text[start : start + 1])
        kind = Kind[match.lastgroup or "END"]
        start = match.end("gap")
        if match["WORD"] and text[match.end() : match.end() + 1] == "(" and match["WORD"] not in KEYWORDS:
            _refuse_function(text, match["WORD"], start)
        if kind is Kind.END:
            yield Token(kind, "", start)
            return
        word = text[start : match.end()]
        meant = _meaning(text, word[1:-1], start + 1) if kind is Kind.QUOTED else word
        yield Token(kind, meant, start, spaced=start > match.start())
        place = match.end()


def _gap_end(text: str, place: int) -> int:
    match = _GAP.match(text, place)
    return place if match is None else match.end()


def fail(text: str, at: int, token: str) -> NoReturn:
    """Refuse a filter, and say where it goes wrong."""
    where = f"line {text.count(chr(10), 0, at) + 1}, column {at - (text.rfind(chr(10), 0, at) + 1) + 1}"
    what = f"token {token[:40]!r}" if token else "the end"
    invalid(f"Unparseable filter: syntax error at {where}, {what}")


def _meaning(text: str, inside: str, at: int) -> str:
    def replace(match: re.Match[str]) -> str:
        *hexadecimal, octal, plain = match.groups()
        digits = next(filter(None, hexadecimal), None)
        if digits is None and octal is None:
            return _ESCAPED.get(plain) or fail(text, at + match.start(), match[0])
        code = int(octal, 8) if digits is None else int(digits, 16)
        if code > _MAX_UNICODE or code in _SURROGATES:
            fail(text, at + match.start(), match[0])
        return chr(code)

    return _ESCAPE.sub(replace, inside)


def _refuse_function(text: str, word: str, at: int) -> NoReturn:
    if word.lower() in _FUNCTIONS:
        unimplemented(f"the function {word} in filters")
    fail(text, at, word)
