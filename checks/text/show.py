"""Strangers' text, made safe to look at: nothing is stripped, so what is shown can be read back exactly."""

ELLIPSIS = "…"


def show(text: str, *, limit: int | None = None) -> str:
    r"""Escape what a terminal would obey or hide: control characters, ANSI, bidi overrides, odd spaces, surrogates.

    The result reads back with ``codecs.decode(..., "unicode_escape")`` for ASCII text, and by its ``\x``, ``\u`` and
    ``\U`` escapes for the rest; a backslash of the text's own is doubled.

    Args:
        text: anything.
        limit: at most this many characters of the escaped text, ended by an ellipsis; None shows all of it.
    """
    shown = "".join(_visible(character) for character in text)
    if limit is not None and len(shown) > limit:
        return shown[: limit - 1] + ELLIPSIS
    return shown


def _visible(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
