"""An address to read from: plain text on loopback only, else TLS to a host of Google's."""

import ipaddress
import re
from typing import Annotated, Final

from pydantic import AfterValidator

_HOST_PORT: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?P<port>\d{1,5})", re.ASCII)
_GOOGLE: Final = re.compile(
    r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:googleapis\.com|pkg\.dev|gcr\.io)|https://gcr\.io"
)
_PORTS: Final = range(1, 65_536)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this very machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def plain_text(text: str) -> str:
    """Accept ``host:port`` on loopback, for a practice server.

    Raises:
        ValueError: another form, or a host beyond loopback.
    """
    match = _HOST_PORT.fullmatch(text)
    if match is None or int(match["port"]) not in _PORTS:
        raise ValueError(f"{text!r} is no host:port, as in 127.0.0.1:8080")
    if not is_loopback(match["host"]):
        raise ValueError(
            f"{text!r} is beyond loopback, where plain text is refused: forward the port to this machine and name "
            "127.0.0.1, or drop the setting to reach Google over TLS"
        )
    return text


def endpoint(text: str) -> str:
    """Accept ``host:port`` on loopback (plain text), or ``https://`` and a host of Google's (TLS).

    Raises:
        ValueError: anything else; real credentials go nowhere else.
    """
    if "://" not in text:
        return plain_text(text)
    if _GOOGLE.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} is neither host:port on loopback nor an https:// host of googleapis.com, pkg.dev or gcr.io"
        )
    return text


Endpoint = Annotated[str, AfterValidator(endpoint)]
"""A settings value that passed ``endpoint``."""
