"""What Google answers to who asks for an account's token, and whether it proves that this is not permitted.

A refusal of another kind proves nothing: the same person's other login, or another quota project, may still be let in.
What the text says decides which kind it is, and never what a command says.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast

from checks.evidence.permission_checks import SIGN_IN
from checks.text.redact import excerpt
from checks.text.show import show

PERMISSION: Final = "iam.serviceAccounts.getAccessToken"

_DENIED: Final = "IAM_PERMISSION_DENIED"
_INFO: Final = "google.rpc.ErrorInfo"
_LONGEST: Final = 500
_WORD: Final = rf"(?<![\w.]){re.escape(PERMISSION)}(?![\w-]|\.\w)"
_DENIES: Final = re.compile(
    rf"{_WORD}['\"`]?\s+(?:permission\s+)?(?:(?:is|was)\s+)?(?:denied|required)\b"
    rf"|\b(?:does not have|lacks|missing)\s+(?:the\s+)?(?:permission\s+)?['\"`]?{_WORD}",
    re.IGNORECASE,
)
_PERMISSIONS: Final = re.compile(r"\bpermissions?\s+['\"`]?([a-z]\w*(?:\.\w+){2,})", re.IGNORECASE)
_RESOURCES: Final = re.compile(r"serviceAccounts/([^\s'\"`,:;()/]+)")
_ADDRESSES: Final = re.compile(r"[\w.+-]{1,100}@[\w.-]{1,200}\w")
_ABOUT: Final = re.compile(r"resource|account|email", re.IGNORECASE)

_KINDS: Final = (
    (
        r"requires a quota project|projects/764086051850\b",
        "name a quota project: gcloud auth application-default set-quota-project PROJECT, and run again",
    ),
    (
        r"USER_PROJECT_DENIED|required permission to use project|serviceusage\.",
        "grant roles/serviceusage.serviceUsageConsumer on the quota project, or name another quota project",
    ),
    (
        r"SECURITY_POLICY_VIOLATED|vpcServiceControls",
        "VPC Service Controls refuse it, and no role mends that: ask who keeps the perimeter, with the identifier",
    ),
    (
        r"ORG_POLICY|ORG_RESTRICTION|\borg(?:anization)?(?:'s)? policy|\bconstraints/",
        "an organization policy refuses it, and no role mends that: ask who keeps it",
    ),
    (
        r"SERVICE_DISABLED|has not been used in project|\bis disabled",
        "gcloud services enable iamcredentials.googleapis.com --project PROJECT, for the project that the reason tells",
    ),
    (
        r"ACCESS_TOKEN_SCOPE_INSUFFICIENT|insufficient authentication scopes",
        f"sign in with the scope cloud-platform, and run again: {SIGN_IN}",
    ),
    (
        r"BILLING_DISABLED|CONSUMER_SUSPENDED|requires billing",
        "ask who keeps the billing of the project, and run again",
    ),
)
"""Refusals that are about something else than the permission, and what mends each."""


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What came back: the status of HTTP, and whatever was in it."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no token.

    Attributes:
        http: its status.
        text: what it says: Google's message, or the beginning of what is no answer of Google's.
        status, code: as the error tells them; None where the answer is not Google's.
        reasons: Google's words for why.
        metadata: what is told beside them.
        whole: every detail could be read.
    """

    http: int
    text: str
    status: str | None = None
    code: object = None
    reasons: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    whole: bool = True

    @property
    def shown(self) -> str:
        """The reason, made safe to look at."""
        if self.status is None:
            return show(excerpt(f"HTTP {self.http}, and no answer of Google's: {self.text}"), limit=_LONGEST)
        words = " ".join((self.status, *self.reasons))
        return show(excerpt(f"{words}: {self.text or 'no message'}", _LONGEST), limit=_LONGEST)

    def proves(self, account: str) -> bool:
        """Whether these credentials may not act as an account: everything it says is about that, and it says it."""
        if not (self.http == HTTPStatus.FORBIDDEN and self.status == "PERMISSION_DENIED" and self.whole):
            return False
        if self.code not in {None, HTTPStatus.FORBIDDEN.value} or set(self.reasons) - {_DENIED}:
            return False
        if self._kind is not None or self._others_permission or self._others_account(account):
            return False
        named = bool(self.reasons) and ("permission", PERMISSION) in self.metadata
        return named or _DENIES.search(self.text) is not None

    def step(self, account: str) -> str:
        """What to do where it proves nothing."""
        if self.http >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "run again later"
        if self.status is None:
            return "is it Google that answers, and not a proxy (HTTPS_PROXY)? mend the way there, and run again"
        if self.http == HTTPStatus.UNAUTHORIZED:
            return f"sign in, and run again: {SIGN_IN}"
        if self.http == HTTPStatus.NOT_FOUND:
            return "is there such an account? correct [writes] impersonate, and run again"
        return (
            self._kind or self._other(account) or f"look who may: gcloud iam service-accounts get-iam-policy {account}"
        )

    @property
    def _kind(self) -> str | None:
        said = " ".join((*self.reasons, self.text, *(value for _, value in self.metadata)))
        return next((step for pattern, step in _KINDS if re.search(pattern, said, re.IGNORECASE)), None)

    def _other(self, account: str) -> str | None:
        if self._others_permission:
            return "another permission was refused than the one that is tried: look at the reason, and run again"
        if self._others_account(account):
            return "another account was refused than the one of [writes] impersonate: whom do these credentials act as?"
        return None

    @property
    def _others_permission(self) -> bool:
        permissions = {value for name, value in self.metadata if name == "permission"}
        return bool((permissions | set(_PERMISSIONS.findall(self.text))) - {PERMISSION})

    def _others_account(self, account: str) -> bool:
        own = account.lower()
        accounts = {
            value.rpartition("/")[2].lower()
            for name, value in self.metadata
            if _ABOUT.search(name) and not name.lower().endswith("type")
        }
        resources = {each.rstrip(".").lower() for each in _RESOURCES.findall(self.text)}
        addresses = {each.lower() for each in _ADDRESSES.findall(self.text)}
        return bool((accounts | resources) - {own}) or (bool(addresses) and own not in addresses)


def read_refusal(answer: TokenResponse) -> Refusal:
    """Read an answer that is no token. Never fails: what is not Google's says so."""
    try:
        error = json.loads(answer.body)["error"]
        status, message = error["status"], error.get("message", "")
        details = error.get("details", [])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Refusal(answer.status, answer.body[:_LONGEST].decode(errors="replace"))
    if not (isinstance(status, str) and isinstance(message, str)):
        return Refusal(answer.status, answer.body[:_LONGEST].decode(errors="replace"))
    infos = _infos(details)
    return Refusal(
        answer.status,
        message,
        status,
        error.get("code"),
        tuple(reason for reason, _ in infos or ()),
        tuple(pair for _, metadata in infos or () for pair in metadata.items()),
        whole=infos is not None,
    )


def _infos(details: object) -> list[tuple[str, dict[str, str]]] | None:
    """The reasons, and what is told beside each; None where one of them cannot be read."""
    if not isinstance(details, list):
        return None
    found: list[tuple[str, dict[str, str]]] = []
    for each in cast("list[Any]", details):
        if not isinstance(each, Mapping):
            return None
        detail = cast("Mapping[str, Any]", each)
        if not str(detail.get("@type", "")).endswith(_INFO):
            continue
        reason, metadata = detail.get("reason"), detail.get("metadata", {})
        if not (isinstance(reason, str) and isinstance(metadata, dict)):
            return None
        found.append((reason, {str(name): str(value) for name, value in cast("dict[Any, Any]", metadata).items()}))
    return found
