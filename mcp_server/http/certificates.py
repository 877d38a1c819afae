"""Google's certificates, as google-auth asks for them: fetched once, and kept for as long as Google allows."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from google.auth.exceptions import GoogleAuthError, TransportError

from checks.sources.credentials import aside
from checks.text.show import show

CERTIFICATES: Final = "https://www.googleapis.com/oauth2/v1/certs"
FETCH_SECONDS: Final = 5
PAUSE_SECONDS: Final = 10.0
"""How long after the start of one fetch the next may start."""

SHORTEST, LONGEST, UNSAID = 60.0, 86_400.0, 300.0
"""Seconds that certificates are kept: at least, at most, and where Google does not say."""

_MOST_BYTES: Final = 256 << 10
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])", re.ASCII)
_LOG: Final = logging.getLogger(__name__)


class CertificatesError(Exception):
    """There are no certificates to check a token with, so nothing can be said of it."""


class CertificateResponse(Protocol):
    """What a server answered, as in google-auth."""

    @property
    def status(self) -> int:
        """Its HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers."""
        ...

    @property
    def data(self) -> bytes:
        """Its body."""
        ...


class CertificateTransport(Protocol):
    """How something is fetched, as in google-auth. It blocks."""

    def __call__(self, url: str, *, method: str, timeout: int) -> CertificateResponse:
        """Ask."""
        ...


@dataclass(frozen=True, slots=True)
class CachedCertificates:
    """Certificates as they came: at once the transport that google-auth asks, and the answer that it gets.

    Attributes:
        renew: when to fetch them anew, on the clock of ``Certificates``.
        until: when they may no longer be used.
    """

    data: bytes
    renew: float
    until: float
    status: int = 200

    def __call__(self, url: str, method: str = "GET", **_: object) -> "CachedCertificates":
        """Answer the one question that is asked."""
        if (url, method) != (CERTIFICATES, "GET"):
            raise TransportError(f"{method} {url} is not fetched for a token")
        return self


class Certificates:
    """The certificates of now. Use one inside one running loop.

    Args:
        fetch: what fetches them, in a thread that nobody waits for at the end.
        clock: seconds that only ever grow.
    """

    def __init__(self, fetch: CertificateTransport, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: CachedCertificates | None = None
        self._renewal: asyncio.Task[CachedCertificates | None] | None = None
        self._next = 0.0

    async def current(self) -> CachedCertificates:
        """What is kept, while it may be used; else what is fetched now, once for everybody who waits.

        Raises:
            CertificatesError: none can be had; the log says why.
        """
        now, kept = self._clock(), self._kept
        if kept is not None and now < kept.renew:
            return kept
        renewal = self._renewal_at(now)
        if kept is not None and now < kept.until:
            return kept
        if (fetched := await asyncio.shield(renewal)) is None:
            raise CertificatesError("Google's certificates cannot be had now")
        return fetched

    def _renewal_at(self, now: float) -> "asyncio.Task[CachedCertificates | None]":
        """The fetch that runs, or ran just now; else a new one."""
        last = self._renewal
        if last is None or (last.done() and now >= self._next):
            last = self._renewal = asyncio.create_task(self._fetch_certificates())
            self._next = now + PAUSE_SECONDS
        return last

    async def _fetch_certificates(self) -> CachedCertificates | None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                answer = await aside(lambda: self._fetch(CERTIFICATES, method="GET", timeout=FETCH_SECONDS))
            self._kept = _kept(answer, self._clock())
        except (GoogleAuthError, TimeoutError, ValueError) as error:
            why = show(str(error) or "no answer in time", limit=300)
            _LOG.error("%s cannot be had: %s; without certificates no token is accepted", CERTIFICATES, why)
            return None
        return self._kept


def _kept(answer: CertificateResponse, now: float) -> CachedCertificates:
    """Read an answer.

    Raises:
        ValueError: it is none of certificates.
    """
    if answer.status != 200:  # noqa: PLR2004 - OK
        raise ValueError(f"status {answer.status}")
    if len(answer.data) > _MOST_BYTES:
        raise ValueError(f"an answer of {len(answer.data):,} bytes")
    parsed: object = json.loads(answer.data)
    if not isinstance(parsed, dict) or not parsed or not all(isinstance(each, str) for each in parsed.values()):  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - JSON
        raise ValueError("an answer without certificates")
    lifetime = _lifetime({name.lower(): value for name, value in answer.headers.items()})
    return CachedCertificates(answer.data, renew=now + 0.9 * lifetime, until=now + lifetime)


def _lifetime(headers: Mapping[str, str]) -> float:
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    if found is None:
        return UNSAID
    age = headers.get("age", "0")
    return min(max(float(found[1]) - float(age if age.isdecimal() else 0), SHORTEST), LONGEST)
