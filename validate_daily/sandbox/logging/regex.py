"""RE2's regular expressions in terms of Python's. What only one of the two knows is refused.

Python's take exponential time where RE2's do not: these are for a practice cloud.
"""

import re
import sys
from collections.abc import Iterator
from typing import Final

from validate_daily.sandbox.errors import invalid, unimplemented

_PART: Final = re.compile(
    r"""(?P<escape>\\(?:[pP](?:\{\^?\w+\}|\w)|x\{[0-9a-fA-F]+\}|.|$))
    | (?P<posix>\[\^?\]?(?:[^\]\\]|\\.)*?\[:)
    | (?P<class>\[\^?\]?(?:[^\]\\]|\\.)*\])
    | (?P<open>\[)
    | (?P<named>\(\?P?<(?=[A-Za-z_]))
    | (?P<flags>\(\?[a-zA-Z-]*[:)])
    | (?P<group>\(\?.?.?)
    | (?P<end>\$)
    | (?P<upto>\{,\d+\})
    | (?P<possessive>(?:[*+?]|\{\d+(?:,\d*)?\})\+)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_SAME: Final = frozenset("dDwWsSbBAafnrtv01234567x")
_IN_CLASS: Final = re.compile(r"(\\(?:x\{[0-9a-fA-F]+\}|.))|\[|--|&&|~~|\|\|", re.DOTALL)
_FLAGS: Final = re.compile(r"\(\?(?:[ims]+\)|[is]*:)")
_LINES: Final = re.compile(r"\(\?[is]*m[ims]*\)")


def compile_re2(pattern: str) -> re.Pattern[str]:
    """Compile a pattern, to be searched for anywhere, and with the case that it has."""
    translated = "".join(_translated(pattern))
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        invalid(f"Unparseable filter: regular expression {pattern[:80]!r}: {error}")


def _translated(pattern: str) -> Iterator[str]:
    lines = _LINES.match(pattern) is not None
    for match in _PART.finditer(pattern):
        kind, part = match.lastgroup, match[0]
        match kind:
            case "escape":
                yield _escape(part)
            case "class":
                yield _class(part)
            case "posix":
                unimplemented("[:classes:] in regular expressions")
            case "flags":
                yield _flags(part, first=match.start() == 0)
            case "named":
                yield "(?P<"
            case "open" | "group" | "possessive":
                invalid(f"Unparseable filter: regular expression: {part!r} is no syntax of RE2")
            case "end":
                # Python's $ also matches before a newline at the end.
                yield "$" if lines else r"\Z"
            case "upto":
                unimplemented(f"{part} in regular expressions")
            case _:
                yield part


def _escape(part: str) -> str:
    letter = part[1:2]
    if part == r"\z":
        return r"\Z"
    if letter.isdecimal() and letter != "0":
        invalid(f"Unparseable filter: regular expression: {part} is no syntax of RE2")
    if part.startswith(r"\x{"):
        return _character(part)
    if letter.isalnum() and letter not in _SAME:
        unimplemented(f"{part} in regular expressions")
    return part


def _character(part: str) -> str:
    code = int(part[3:-1], 16)
    if code > sys.maxunicode:
        invalid(f"Unparseable filter: regular expression: {part} is no character")
    return re.escape(chr(code))


def _class(part: str) -> str:
    # Python warns of sets that it might read otherwise one day.
    return part[:1] + _IN_CLASS.sub(lambda match: _escape(match[1]) if match[1] else re.escape(match[0]), part[1:])


def _flags(part: str, *, first: bool) -> str:
    if not _FLAGS.fullmatch(part) or not (first or part.endswith(":")):
        unimplemented(f"the flags {part} in regular expressions")
    return part
