"""Text from strangers, made safe to keep and to log: one line, printable, bounded."""

from typing import Final

_ELLIPSIS: Final = "... [{} characters]"


def one_line(value: object, limit: int) -> str:
    """Any value as one printable line. Never fails.

    Control characters, line breaks and lone surrogates are escaped as in Python source, so nothing is lost by it.

    Args:
        value: what to tell; told by its ``str``.
        limit: the most characters to return, at least 40. What is longer is cut and ends by saying its full length.
    """
    text = _told(value)
    clean = "".join(character if character.isprintable() else _escaped(character) for character in text[:limit])
    if len(text) <= limit and len(clean) <= limit:
        return clean
    ending = _ELLIPSIS.format(len(text))
    return clean[: limit - len(ending)] + ending


def _told(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a stranger's __str__ may do anything, and this text only tells about it
        return f"<unprintable {type(value).__name__}>"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
