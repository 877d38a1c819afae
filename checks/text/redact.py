"""Takes secrets out of strangers' text before anything stores, prints or sends it.

A few passes over the text, each in linear time: every repetition is bounded or possessive, and no two of them can match
the same characters. What replaces a secret can never be read as one. A second pass finds what a first one uncovers: a
key that was taken for the scheme of a URL with a password.
"""

import re
from typing import Final

from checks.text.show import ELLIPSIS

LIMIT: Final = 300
"""Characters of a stranger's text that evidence keeps, unless it says otherwise."""

_LOOKED_AT: Final = 16_384
_PASSES: Final = 8
_KEY: Final = (
    r"pass(?:word|wd|phrase)|secret|token|api[_-]?key|(?:access|private|secret|signing|encryption|account)[_-]?key"
    r"|signature|credentials?"
)
_VALUE: Final = (
    r"""(?!["']?\[redacted: )(?:(?i:bearer|basic)[ \t]{1,3})?+(?!\[redacted: )"""
    r"""(?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[^\s"'&,;)}\]]++)"""
)
_NO_NAME: Final = (
    r"""(?!["'`]?projects/[\w.:-]{1,100}/(?:locations/[\w-]{1,63}/)?secrets/[\w-]{1,255}(?:/versions/[\w-]{1,63})?"""
    r"""(?:["'`,;)}\]]|[.:]?(?:\s|\Z)))"""
)
"""Not the resource name of a secret: a name is no secret."""
_START: Final = r"(?<![A-Za-z0-9])"

_SECRETS: Final = {
    "private key": (
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)"
    ),
    "authorization": (
        r"""(?i:(?P<k0>authorization["']?[ \t]{0,3}[:=][ \t]{0,3}["']?))"""
        r"""(?!\[redacted: )(?i:(?:basic|bearer|digest|token)[ \t]{1,3})?+(?!\[redacted: )[^\s"',;]++"""
    ),
    "bearer token": (
        _START + r"(?i:(?P<k1>bearer[ \t]{1,3}))(?!(?i:tokens?|auth[a-z]*+)(?![A-Za-z0-9]))[A-Za-z0-9._~+/=-]{3,}+"
    ),
    "password": (r"(?P<k2>[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s/@:\"']{0,200}+:[^\s/\"']{1,1000}(?=@)"),
    "secret": rf"""(?i:(?P<k3>(?:{_KEY})["']?[ \t]{{0,3}}(?:=>|[:=])[ \t]{{0,3}})){_NO_NAME}{_VALUE}""",
    "google token": _START + r"(?:ya29\.[\w.-]{4,}+|1//0[\w-]{20,}+|GOCSPX-[\w-]{10,}+)",
    "google api key": _START + r"AIza[\w-]{20,}+",
    "jwt": _START + r"eyJ[\w-]{10,}+(?:\.[\w-]*+)*+",
    "github token": _START + r"(?:gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_\w{20,}+)",
    "slack token": _START + r"(?:xox[a-z]-[\w-]{8,}+|xapp-[\w-]{8,}+|hooks\.slack\.com/services/[\w/]{8,}+)",
    "aws key": _START + r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])",
    "model api key": _START + r"sk-(?:ant-[\w-]{8,}+|proj-[\w-]{16,}+|[A-Za-z0-9]{32,}+)",
}
_LABELS: Final = {f"s{place}": label for place, label in enumerate(_SECRETS)}
_ANY: Final = re.compile(
    "|".join(f"(?P<s{place}>{pattern})" for place, pattern in enumerate(_SECRETS.values())), re.ASCII
)
_KEPT: Final = ("k0", "k1", "k2", "k3")


def redact(text: str) -> str:
    """The same text with every secret replaced by ``[redacted: <what it was>]``.

    Tokens, keys, passwords and ``Authorization`` headers are known by their shapes, and ``key=value`` secrets by their
    keys, which stay.
    """
    for _ in range(_PASSES):
        clean = _ANY.sub(_replacement, text)
        if clean == text:
            break
        text = clean
    return text


def excerpt(text: str, limit: int = LIMIT) -> str:
    """The beginning of a text without its secrets, at most ``limit`` characters; an ellipsis says that it was cut."""
    clean = redact(text[:_LOOKED_AT])
    return clean if len(clean) <= limit and len(text) <= _LOOKED_AT else clean[: limit - 1] + ELLIPSIS


def _replacement(match: re.Match[str]) -> str:
    kept = next((match[name] for name in _KEPT if match[name] is not None), "")
    return f"{kept}[redacted: {_LABELS[match.lastgroup or '']}]"
