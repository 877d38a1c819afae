"""Somebody who issues identity tokens, and the certificates to check them with, served as google-auth fetches them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from mcp_server.http.certificates import CertificateResponse

AUDIENCE = "https://validate-daily.example"
KID = "key-1"


class Signer:
    """One key, made for the test."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    def certificates(self, kid: str = KID) -> bytes:
        """What Google's certificate address would answer."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, self._key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        return json.dumps({kid: made.public_bytes(serialization.Encoding.PEM).decode()}).encode()

    def token(self, *, header: Mapping[str, object] | None = None, **told: object) -> str:
        """A token of ana@example.com for ``AUDIENCE``, but for what is told; None leaves a claim out."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "sub": "108",
            "email": "ana@example.com",
            "email_verified": True,
            "iat": now - 60,
            "exp": now + 3_540,
        }
        claims = {name: value for name, value in (claims | told).items() if value is not None}
        head = {"alg": "RS256", "typ": "JWT", "kid": KID, **(header or {})}
        signed = f"{part(head)}.{part(claims)}"
        return f"{signed}.{self._signature(str(head['alg']), signed.encode())}"

    def _signature(self, algorithm: str, signed: bytes) -> str:
        if algorithm == "none":
            return ""
        if algorithm == "HS256":
            public = x509.load_pem_x509_certificate(json.loads(self.certificates())[KID].encode()).public_key()
            secret = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            return encoded(hmac.digest(secret, signed, hashlib.sha256))
        return encoded(self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))


@cache
def signer() -> Signer:
    """The one that certificates are served of."""
    return Signer()


def part(told: object) -> str:
    """One part of a token."""
    return encoded(json.dumps(told).encode())


def encoded(raw: bytes) -> str:
    """Base64 as tokens have it."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Told:
    """An answer of the certificate address."""

    data: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"Cache-Control": "public, max-age=20000"})
    status: int = 200


@dataclass
class CertificateAddress:
    """Answers each request with the next answer, and the last one again and again; ``asked`` keeps the addresses."""

    answers: list[Told | Exception]
    asked: list[str] = field(default_factory=list[str])

    def __call__(self, url: str, *, method: str, timeout: int) -> CertificateResponse:  # noqa: ARG002 - the protocol's
        """Answer, or fail."""
        self.asked.append(url)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def certificate_address() -> CertificateAddress:
    """One that serves the certificates of ``signer()``."""
    return CertificateAddress([Told(signer().certificates())])
