"""What to do about each reason that Cloud Run gives, and about what its messages and a container's own lines say.

What is most particular comes first: a line such as "exec format error" says more than HEALTH_CHECK_CONTAINER_ERROR. The
reasons are the three enums of ``google.cloud.run.v2.Condition``; the steps are what Google's troubleshooting of Cloud
Run says of them. A step holds no text of strangers.
"""

import re
from collections.abc import Iterable
from typing import Final

from checks.evidence.deployments import Revision, Service

_AGAIN: Final = "and deploy {name} again"

_SIGNS: Final = (
    (
        r"exec format error",
        "build the image of {name} for linux/amd64 (docker build --platform linux/amd64), " + _AGAIN,
    ),
    (
        r"memory limit of|out of memory|exceeded memory",
        "raise the memory limit of {name} (gcloud run services update {name} --memory), or let it need less to start",
    ),
    (
        r"permission denied on secret|secretmanager\.|secret manager secret accessor",
        "grant the service account of {name} roles/secretmanager.secretAccessor on the secret that Cloud Run names, "
        + _AGAIN,
    ),
    (
        r"secret.{0,200}(?:not found|does not exist|disabled|destroyed)",
        "create or enable the version of the secret that Cloud Run names, " + _AGAIN,
    ),
    (r"quota", "ask for more of the quota that Cloud Run names, or let {name} need less of it, " + _AGAIN),
    (
        r"binary authorization|attestation",
        "have the image attested as the Binary Authorization policy asks, or deploy one that is, " + _AGAIN,
    ),
    (
        r"must have permission to read the image|permission.{0,40}artifactregistry|denied.{0,60}artifactregistry",
        "grant Cloud Run's service agent permission to read the image (roles/artifactregistry.reader), " + _AGAIN,
    ),
    (
        r"image .{0,500}not found|manifest unknown",
        "push the image that Cloud Run names, or name one that exists, " + _AGAIN,
    ),
    (
        r"vpc|subnet|serverless.{0,20}connector",
        "mend the network, subnet or connector that Cloud Run names, " + _AGAIN,
    ),
    (
        r"executable file not found|no module named|no such file or directory|failed to load",
        "put into the image of {name} what these words say that it lacks, " + _AGAIN,
    ),
    (
        r"(?<!default )startup (?:tcp|http|grpc) probe failed|configured startup probe",
        "let {name} answer its own startup probe{port} in the time that the probe allows, or change the probe, "
        + _AGAIN,
    ),
    (
        r"listen|startup (?:tcp|http|grpc) probe failed|\bport\b",
        "read the logs of {revision}: let its program listen on 0.0.0.0{port} in the time that it has to start, "
        + _AGAIN,
    ),
)
"""What messages and lines say, and the step. The first that is found counts."""

_WAIT: Final = "wait until it is over, and look again"
_LOGS: Final = "read the logs of {revision}, mend what they name, " + _AGAIN

STEPS: Final = {
    # CommonReason
    "UNKNOWN": "read what Cloud Run says of it and the logs of {revision}, " + _AGAIN,
    "REVISION_FAILED": _LOGS,
    "PROGRESS_DEADLINE_EXCEEDED": "find in the logs of {revision} what took so long, " + _AGAIN,
    "CONTAINER_MISSING": "push the image that Cloud Run names, or name one that exists, " + _AGAIN,
    "CONTAINER_PERMISSION_DENIED": (
        "grant Cloud Run's service agent permission to read the image (roles/artifactregistry.reader), " + _AGAIN
    ),
    "CONTAINER_IMAGE_UNAUTHORIZED": (
        "have the image attested as the Binary Authorization policy asks, or deploy one that is, " + _AGAIN
    ),
    "CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED": (
        "check the Binary Authorization policy and its attestors: it could not be asked about the image, " + _AGAIN
    ),
    "ENCRYPTION_KEY_PERMISSION_DENIED": (
        "enable the encryption key of {name}, and grant Cloud Run's service agent "
        "roles/cloudkms.cryptoKeyEncrypterDecrypter on it, " + _AGAIN
    ),
    "ENCRYPTION_KEY_CHECK_FAILED": (
        "check that the encryption key of {name} exists and that Cloud KMS answers for it, " + _AGAIN
    ),
    "SECRETS_ACCESS_CHECK_FAILED": (
        "check that the secret that Cloud Run names exists, and grant the service account of {name} "
        "roles/secretmanager.secretAccessor on it, " + _AGAIN
    ),
    "WAITING_FOR_OPERATION": _WAIT,
    "IMMEDIATE_RETRY": _WAIT,
    "POSTPONED_RETRY": _WAIT,
    "INTERNAL": "the error is Cloud Run's own: deploy {name} again; if it stays, ask Google's support",
    "VPC_NETWORK_NOT_FOUND": "name a VPC network and subnet for {name} that exist, " + _AGAIN,
    # RevisionReason
    "PENDING": _WAIT,
    "RESERVE": "send a revision of {name} that serves the traffic: this one is kept in reserve",
    "RETIRED": "send the traffic of {name} to a revision that is not retired",
    "RETIRING": "send the traffic of {name} to a revision that is not retiring",
    "RECREATING": _WAIT,
    "HEALTH_CHECK_CONTAINER_ERROR": (
        "read the logs of {revision}: its container did not start and listen{port} in time, so mend what they name, "
        + _AGAIN
    ),
    "CUSTOMIZED_PATH_RESPONSE_PENDING": "let {name} answer on the path of its probe, " + _AGAIN,
    "MIN_INSTANCES_NOT_PROVISIONED": (
        "find in what Cloud Run says why the minimum of instances could not be started; ask for that, or set a lower "
        "minimum for {name} (gcloud run services update {name} --min-instances)"
    ),
    "ACTIVE_REVISION_LIMIT_REACHED": "take traffic and traffic tags off old revisions of {name}, " + _AGAIN,
    "NO_DEPLOYMENT": "deploy {name} again: Cloud Run has nothing that runs for {revision}",
    "HEALTH_CHECK_SKIPPED": "let {name} be started once, and look again: Cloud Run did not check whether it starts",
    "MIN_INSTANCES_WARMING": _WAIT,
    # ExecutionReason
    "JOB_STATUS_SERVICE_POLLING_ERROR": "the error is Cloud Run's own: start it again",
    "NON_ZERO_EXIT_CODE": "read the logs of the execution: its program ended with an error",
    "CANCELLED": "somebody cancelled it: start it again if it should run",
    "CANCELLING": _WAIT,
    "DELETED": "somebody deleted it: start it again if it should run",
    "DELAYED_START_PENDING": _WAIT,
}
"""Every reason of the API, and the step."""

_COMPILED: Final = tuple((re.compile(sign, re.IGNORECASE), step) for sign, step in _SIGNS)
_PORT: Final = re.compile(r"\bPORT\b\D{0,40}?(\d{2,5})\b", re.IGNORECASE)
_BY_SIGN: Final = frozenset(
    {None, "UNKNOWN", "REVISION_FAILED", "HEALTH_CHECK_CONTAINER_ERROR", "PROGRESS_DEADLINE_EXCEEDED"}
)
"""Reasons that say less than words do."""
_PRECISE: Final = ("exec format error", "memory limit", "quota")
"""The words that know better than any reason."""


def step_of(service: Service, revision: Revision | None, said: Iterable[str | None], reason: str | None) -> str:
    """What to do about a revision, or a service, that Cloud Run says has failed.

    Args:
        service: the service.
        revision: of it; None where the service as a whole failed, or it could not be read.
        said: Cloud Run's message, and what the container's lines say.
        reason: Cloud Run's own word.
    """
    texts = [text for text in said if text]
    named = revision.name if revision else service.created or service.name
    step = _of_words(texts, reason) or STEPS.get(reason or "") or _LOGS
    return step.format(name=service.name, revision=named, port=_port(service, revision, texts))


def _of_words(texts: Iterable[str], reason: str | None) -> str | None:
    whole = "\n".join(texts)
    for sign, step in _COMPILED:
        if (reason in _BY_SIGN or sign.pattern.startswith(_PRECISE)) and sign.search(whole):
            return step
    return None


def _port(service: Service, revision: Revision | None, texts: Iterable[str]) -> str:
    """The port that the words name, else that of the template."""
    found = next((match[1] for text in texts if (match := _PORT.search(text))), None)
    port = found or (revision and revision.port) or service.port
    return f" on port {port}" if port else " on the port that $PORT names"
