"""Reads from Cloud Run's messages whose deploys a service or job is: labels, annotations, and then the last client.

``gcloud``, the console and client libraries are what people and scripts use: they keep no state of their own that
another run would put back.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from checks.evidence.owners import CLOUD_BUILD, CLOUD_DEPLOY, FUNCTIONS, TERRAFORM, Owner, OwnerEvidence
from checks.sources.cloud_run.client import Message
from checks.text.redact import excerpt

_TOOLS: Final = (
    (re.compile(r"cloud[-_ .]?functions?|^gcf|cli-firebase-functions", re.IGNORECASE), FUNCTIONS),
    (re.compile(r"cloud[-_ .]?deploy(?!ment)", re.IGNORECASE), CLOUD_DEPLOY),
    (re.compile(r"cloud[-_ .]?build|^gcb", re.IGNORECASE), CLOUD_BUILD),
    (re.compile(r"terraform|opentofu", re.IGNORECASE), TERRAFORM),
)
_STATEFUL: Final = re.compile(
    r"terraform|opentofu|pulumi|crossplane|config[-_ ]?connector|cnrm|cloud[-_ .]?deploy(?!ment)|cloud[-_ .]?functions?"
    r"|^gcf|cli-firebase",
    re.IGNORECASE,
)
"""Clients that keep a state of what they deploy."""
_CLOUD_DEPLOY_KEY: Final = re.compile(r"^(?:.*[/.-])?deploy[.-]cloud[.-]google[.-]com", re.IGNORECASE)
_FUNCTION_KEY: Final = re.compile(r"cloud-?functions(?:$|[./-])")
_MANAGED_BY: Final = re.compile(r"^(?:goog|app[.-]kubernetes[.-]io[/_-])?[-_]?managed[-_]by$", re.IGNORECASE)
_CLIENT_NAME: Final = "run.googleapis.com/client-name"
_NOBODY: Final = frozenset({"", "none", "nobody", "manual", "hand", "false", "gcloud", "validate-daily"})
_NO: Final = frozenset({"false", "0", "no", ""})


def read_owner(message: Message) -> Owner | None:
    """Whose deploys a service or job is; None where nothing says that a tool owns them.

    Args:
        message: ``Service`` or ``Job`` as raw protobuf.
    """
    found = [
        *_of_labels(message.labels, OwnerEvidence.LABEL),
        *_of_labels(message.annotations, OwnerEvidence.ANNOTATION),
        *_of_client(message),
    ]
    return next((each for each in found if each.is_function), found[0] if found else None)


def _of_labels(labels: Mapping[str, str], kind: OwnerEvidence) -> Iterator[Owner]:
    for name, value in sorted(labels.items()):
        if (tool := _tool_of(name, value)) is not None:
            yield Owner(tool=excerpt(tool), kind=kind, says=excerpt(f"{name}: {value}"))


def _tool_of(name: str, value: str) -> str | None:
    if name == "goog-terraform-provisioned":
        return None if value.lower() in _NO else TERRAFORM
    if _FUNCTION_KEY.search(name):
        return FUNCTIONS
    if _CLOUD_DEPLOY_KEY.match(name):
        return CLOUD_DEPLOY
    if name.startswith("gcb-trigger"):
        return CLOUD_BUILD
    if _MANAGED_BY.match(name) and value.lower() not in _NOBODY:
        return _canonical(value)
    return None


def _of_client(message: Message) -> Iterator[Owner]:
    for client in (message.client, message.annotations.get(_CLIENT_NAME, "")):
        if client and _STATEFUL.search(client):
            yield Owner(tool=excerpt(_canonical(client)), kind=OwnerEvidence.CLIENT, says=excerpt(client))


def _canonical(name: str) -> str:
    return next((tool for pattern, tool in _TOOLS if pattern.search(name)), name)
