"""Writes strangers' text into TOML, so that it is read back as the very same text and as nothing else."""

import textwrap
from typing import Final

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\"}
_BMP: Final = 0xFFFF
_WIDTH: Final = 118


def basic_string(text: str) -> str:
    """A basic string: whatever a terminal would obey or hide is escaped.

    Raises:
        ValueError: it holds half a character, which TOML cannot say.
    """
    text.encode()
    return f'"{"".join(_escaped(character) for character in text)}"'


def comment(text: str) -> list[str]:
    """The lines of a comment, folded between words."""
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    folded = textwrap.wrap(shown, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"# {line}" for line in folded]


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= _BMP else f"\\U{code:08x}"
