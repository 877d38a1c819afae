"""Who may call over HTTP: nobody beyond this machine, until the settings say whom Google's tokens must name."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from google.auth.transport.requests import Request
from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings

from checks.settings.errors import SettingsError
from checks.settings.file import Settings
from checks.settings.named_file_only import Http
from mcp_server.http.certificates import Certificates, CertificateTransport
from mcp_server.http.google_tokens import READ, GoogleTokens

ISSUER: Final = "https://accounts.google.com"


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """How callers are told apart.

    Attributes:
        verifier: says who the bearer of a token is.
        auth: what the SDK tells clients of it.
        hosts: the host names at which callers reach this server.
    """

    verifier: TokenVerifier
    auth: AuthSettings
    hosts: tuple[str, ...]


def access_of(settings: Settings, *, loopback: bool, fetch: CertificateTransport | None = None) -> HttpAccess | None:
    """What ``[http]`` asks of callers. None: whoever reaches loopback may call.

    Args:
        settings: the settings at start.
        loopback: whether only this machine reaches the server.
        fetch: fetches Google's certificates; None does so with google-auth.

    Raises:
        SettingsError: what must be there is not; the text names the key.
    """
    http = settings.pipeline.http
    if loopback and http == Http():
        return None
    if missing := _missing(http, settings):
        raise SettingsError(f"{settings.path}: {missing}")
    hosts = tuple(dict.fromkeys(urlsplit(each).netloc.lower() for each in _addresses(http)))
    auth = AuthSettings.model_validate(
        {
            "issuer_url": ISSUER,
            "resource_server_url": f"https://{hosts[0]}/mcp",
            "required_scopes": [READ],
            "validate_token_resource": False,  # the verifier checks the audience: Google's tokens name no resource
        }
    )
    return HttpAccess(GoogleTokens(http, Certificates(fetch or Request())), auth, hosts)


def _missing(http: Http, settings: Settings) -> str | None:
    if http != Http() and not settings.named:
        return f"http counts only in a file that you name: pass --config {settings.path} if you trust it"
    if not http.audience:
        return (
            "http.audience is empty, and beyond loopback no call is served without a token: "
            "name the https:// address of this server there (docs/http.md)"
        )
    if not _addresses(http):
        return (
            "http.audience names no https:// address: add the one at which callers reach this server, "
            "because calls to any other host name are refused"
        )
    if not http.readers and not http.writers:
        return "http.readers and http.writers are empty, so that nobody could call: name emails there"
    return None


def _addresses(http: Http) -> list[str]:
    return [each for each in http.audience if each.startswith("https://")]
