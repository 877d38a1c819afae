"""Says whose identity token a caller shows, and what that person or service account may do."""

import logging
import time
from dataclasses import dataclass
from typing import Final

from google.auth.exceptions import GoogleAuthError, InvalidValue
from google.oauth2 import id_token
from mcp.server.auth.provider import AccessToken
from pydantic import BaseModel, StrictBool, StrictStr

from checks.settings.named_file_only import Http
from checks.text.show import show
from mcp_server.http.certificates import Certificates

READ: Final = "read"
WRITE: Final = "write"
SKEW_SECONDS: Final = 10
LONGEST: Final = 8_192
"""Characters of a token; Google's have about 1,200."""

_LOG: Final = logging.getLogger(__name__)


class _Claims(BaseModel):
    """What a token must say of its bearer, beyond what google-auth checks: signature, issuer, audience and times."""

    iss: StrictStr
    sub: StrictStr
    email: StrictStr
    email_verified: StrictBool
    exp: int
    nbf: float = 0.0


@dataclass(frozen=True, slots=True)
class GoogleTokens:
    """Accepts identity tokens that Google issued to somebody whom the settings name, for this server.

    Attributes:
        http: the settings.
        certificates: what tokens are checked with.
    """

    http: Http
    certificates: Certificates

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who the bearer is, or None (401). Whoever is not named may do nothing (403).

        Raises:
            CertificatesError: it cannot be checked now.
        """
        if len(token) > LONGEST:
            return _refused(f"it has {len(token):,} characters")
        certificates = await self.certificates.current()
        try:
            claims = _Claims.model_validate(
                id_token.verify_oauth2_token(token, certificates, list(self.http.audience), SKEW_SECONDS)  # pyright: ignore[reportUnknownMemberType] - google-auth names no types here
            )
        except InvalidValue as error:
            return _refused(str(error))
        except (GoogleAuthError, ValueError, KeyError, TypeError, RecursionError) as error:
            # The texts of these may hold parts of the token. RecursionError: a header of a thousand brackets.
            return _refused(f"it is no identity token of Google's ({type(error).__name__})")
        if not claims.email_verified:
            return _refused("its email is not verified")
        if claims.nbf > time.time() + SKEW_SECONDS:
            return _refused("it is not valid yet")
        return self._access(token, claims)

    def _access(self, token: str, claims: _Claims) -> AccessToken:
        email = claims.email.lower()
        return AccessToken(
            token=token,
            client_id=email,
            subject=claims.sub,
            scopes=self._scopes(email),
            expires_at=claims.exp + SKEW_SECONDS,
            claims={"iss": claims.iss, "sub": claims.sub, "email": email},
        )

    def _scopes(self, email: str) -> list[str]:
        if email in self.http.writers:
            return [READ, WRITE]
        return [READ] if email in self.http.readers else []


def _refused(why: str) -> None:
    _LOG.warning("a token was refused: %s", show(why, limit=300))
