"""Strangers' text, made safe to put into Markdown."""

import re
from typing import Final

from checks.text.redact import redact
from checks.text.show import show

_OBEYED: Final = re.compile(r"[\\`*\[\]|~&]|<(?=[A-Za-z/!?])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", re.ASCII)
"""What Markdown would obey: an underscore only at the edge of a word, an angle only where a tag could begin."""

_LONGEST: Final = 300


def escape_markdown(text: str, limit: int = _LONGEST) -> str:
    """A text that neither ends a table's cell nor formats anything: what Markdown would obey is escaped."""
    return _OBEYED.sub(r"\\\g<0>", show(redact(text), limit=limit).replace("\\\\", "\\"))
