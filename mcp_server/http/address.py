"""Where a server listens."""

import argparse
import socket
from dataclasses import dataclass
from typing import Final

from checks.settings.address import is_loopback
from checks.settings.errors import UsageError

_LAST_PORT: Final = 65_535
_BACKLOG: Final = 2_048


@dataclass(frozen=True, slots=True)
class Address:
    """``HOST:PORT``. Port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether it says itself that only this machine reaches it; what a name resolves to says nothing."""
        return is_loopback(self.host)


def address(text: str) -> Address:
    """Read an argument.

    Raises:
        argparse.ArgumentTypeError: it is no address to listen at.
    """
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    known = bool(bare) and (":" in bare) == (bare != host)
    if not known or not port.isascii() or not port.isdecimal() or int(port) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST:PORT, as in 127.0.0.1:8000 or [::1]:8000")
    return Address(bare, int(port))


def listen(at: Address) -> socket.socket:
    """A socket that takes connections.

    Raises:
        UsageError: the address cannot be had.
    """
    try:
        found = socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, where = min(found, key=lambda each: each[0] != socket.AF_INET)
        listener = socket.create_server(where[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UsageError(f"--http {at} cannot be had ({error.strerror or error}): name another address") from error
    if at.loopback and not is_loopback(listener.getsockname()[0]):
        listener.close()
        raise UsageError(f"--http {at}: {at.host} is not this machine's loopback here: name 127.0.0.1")
    return listener
