"""What a look at one service says of a deploy: does every share of its traffic run the image that was meant?"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.containers import Image
from checks.evidence.deployments import Revision, Service, State, Tag, run_of
from checks.evidence.images import Inspected
from checks.evidence.snapshot import Gap, Level
from checks.judge.deployed.proofs import Outcome, proofs_of
from checks.judge.deployed.reasons import step_of
from checks.judge.verdict import ExitCode
from checks.text.plural import counted
from checks.text.show import show

SCHEMA: Final = "validate-daily/deploy/1"
_HEX: Final = 19
_LONGEST: Final = 1_000
"""Characters of Cloud Run's own words."""


class WantedImage(Evidence):
    """What a service should run.

    Attributes:
        digest: of the image; None where only its bytes can tell, by the code probes of a commit.
        children: of an index, the manifests that Cloud Run may record instead.
        named: how it was named, in words.
        repository: where it is; of several containers, those that run an image of it are compared. None compares what
            the program runs.
        container: the one that the settings name, if they name one; then no other is compared.
    """

    digest: str | None
    children: tuple[str, ...] = ()
    named: Untrusted
    repository: str | None = None
    container: str | None = None

    def images_in(self, revision: Revision) -> list[Image]:
        """What a revision runs that is compared with it."""
        if len(revision.every) == 1 or self.repository is None:
            return [revision.image]
        alike = [each for each in revision.every if each.image.repository == self.repository]
        own = [each for each in alike if self.container is None or each.name == self.container]
        return [each.image for each in own] or [revision.image]

    def is_met_by(self, digest: str | None) -> bool:
        """Whether a digest is the wanted one, directly or as one of its platforms."""
        return digest is not None and digest in {self.digest, *self.children}

    def runs(self, digest: str | None, indexes: Iterable[Tag]) -> bool:
        """The same, where the digest may be an index of which the wanted one is what runs."""
        return digest is not None and (self.is_met_by(digest) or self.is_met_by(run_of(indexes, digest)))


class ServedShare(Evidence):
    """One share of the traffic, and whether it is what was wanted; None where that is not known."""

    revision: str
    percent: Count
    digest: str | None
    wanted: bool | None


class Gate(Evidence):
    """The answer. ``deployed`` is None where it could not be told.

    Attributes:
        level: what the answer rests on.
        reason: why; where not deployed, what serves instead.
        final: waiting longer changes nothing.
        looks: how often the service was looked at.
    """

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    service: str
    deployed: bool | None
    level: Level
    wanted: WantedImage | None
    reason: Untrusted
    next_step: str | None = None
    shares: tuple[ServedShare, ...] = ()
    final: bool = False
    gaps: tuple[Gap, ...] = ()
    practice: bool = False
    looks: Count = 1
    measured_at: AwareDatetime | None = None

    @property
    def exit_code(self) -> ExitCode:
        """0 only where every share is proved to serve it."""
        return {True: ExitCode.HEALTHY, False: ExitCode.P0_OR_P1, None: ExitCode.UNKNOWN}[self.deployed]


def unseen(service: str, gaps: Sequence[Gap], wanted: WantedImage | None = None) -> Gate:
    """The answer where something that it takes could not be read."""
    return Gate(
        service=service,
        deployed=None,
        level=Level.DIGEST,
        wanted=wanted,
        reason=gaps[0].reason,
        next_step=gaps[0].next_step,
        gaps=tuple(gaps),
    )


def judge_deploy(
    service: Service,
    wanted: WantedImage,
    inspected: Sequence[Inspected],
    gaps: Sequence[Gap],
    indexes: Sequence[Tag] = (),
) -> Gate:
    """Hold what serves against what was wanted.

    Args:
        service: with its serving revisions.
        wanted: the image.
        inspected: what code probes found in the serving images; none where no probe is about the service.
        gaps: what could not be read.
        indexes: the serving digests that may be an index, as the registry has them.
    """
    shares = tuple(
        ServedShare(
            revision=share.revision,
            percent=share.percent,
            digest=(digest := _compared(wanted, revision, indexes)),
            wanted=wanted.runs(digest, indexes) if digest and wanted.digest else None,
        )
        for share, revision in service.serving
    )
    told = Gate(
        service=service.name,
        deployed=None,
        level=Level.DIGEST,
        wanted=wanted,
        reason="",
        shares=shares,
        gaps=tuple(gaps),
    )
    if service.in_progress:
        return told.model_copy(
            update={"deployed": False, "reason": "a change is in progress", "next_step": "wait until it is over"}
        )
    unread = ", ".join(share.revision for share in shares if share.digest is None)
    if unread:
        return told.model_copy(
            update={"reason": f"which digest serves could not be read: {unread}", "next_step": "look again"}
        )
    if wanted.digest is not None and not (shares and all(share.wanted for share in shares)):
        return _not_served(told, service, wanted, indexes)
    return _unhealthy(told, service) or _with_aside(_with_bytes(told, wanted, inspected, gaps), service)


def _compared(wanted: WantedImage, revision: Revision | None, indexes: Sequence[Tag]) -> str | None:
    """The digest of a revision that decides: of several containers, one that is not the wanted image before others."""
    digests = [image.digest for image in wanted.images_in(revision)] if revision else []
    others = [digest for digest in digests if not wanted.runs(digest, indexes)]
    return next(iter([*others, *digests]), None)


def _not_served(told: Gate, service: Service, wanted: WantedImage, indexes: Sequence[Tag]) -> Gate:
    others = [share for share in told.shares if not share.wanted]
    newest = service.revision(service.created)
    reason = "; ".join(f"{share.percent} % by {share.revision}, {(share.digest or '')[:_HEX]}" for share in others)
    reason = f"serves {reason}" if others else "no revision gets traffic"
    step, final = "deploy it, or send the traffic there", False
    if newest and wanted.runs(_compared(wanted, newest, indexes), indexes):
        if newest.ready is State.FAILED:
            reason, final = f"{newest.name} runs it and never became ready: {_why(service, newest)}; {reason}", True
            step = _step(service, newest)
        elif service.state is State.FAILED:
            reason = f"{newest.name} runs it, and Cloud Run says that the last change failed: {_why(service)}; {reason}"
            step = _step(service)
        elif newest.ready is not State.SUCCEEDED:
            reason = (
                f"{newest.name} runs it, and Cloud Run does not say that it is ready: {_why(service, newest)}; {reason}"
            )
            step = f"look at the conditions of {newest.name} in Cloud Run"
        elif service.preview is not None:
            reason = f"{newest.name} runs it as the preview {service.preview}, at 0 %; {reason}"
            step = f"deploy {service.name} by its own pipeline, with traffic, when the preview is good"
        elif service.pinned:
            reason = f"{newest.name} runs it, and traffic is pinned: {reason}"
            step = f"send the traffic to {newest.name}"
    return told.model_copy(update={"deployed": False, "reason": reason, "next_step": step, "final": final})


def _unhealthy(told: Gate, service: Service) -> Gate | None:
    """The answer where the image serves, and Cloud Run says that the service or its newest revision is not well."""
    newest, final = service.revision(service.created), False
    broken = next((each for _, each in service.serving if each and each.ready is State.FAILED), None)
    waits = service.created != service.ready and newest is not None
    if waits and newest and newest.ready is State.FAILED:
        reason, final = f"{newest.name} never became ready: {_why(service, newest)}", True
        step = _step(service, newest)
    elif broken:
        reason, step = (
            f"{broken.name} serves and is not ready any more: {_why(service, broken)}",
            _step(service, broken),
        )
    elif service.state is State.FAILED:
        reason, step = f"Cloud Run says that the last change failed: {_why(service)}", _step(service)
    elif service.state is State.PENDING or (waits and newest and newest.ready is not State.SUCCEEDED):
        reason = f"Cloud Run does not say that {service.created} is ready: {_why(service, newest)}"
        step = f"look at the conditions of {service.name} in Cloud Run"
    elif service.instances == 0:
        reason, step = "it is scaled to 0 by hand, so nothing of it runs", f"scale {service.name} up, and look again"
        return told.model_copy(update={"reason": reason, "next_step": step, "final": True})
    else:
        return None
    if told.wanted and told.wanted.digest:
        reason = f"every share of the traffic serves that image, and {reason}"
    return told.model_copy(update={"deployed": False, "reason": reason, "next_step": step, "final": final})


def _with_aside(told: Gate, service: Service) -> Gate:
    """The same, which names a newest revision that gets no traffic and is no preview."""
    serving = {share.revision for share in service.shares}
    if not told.deployed or service.created in serving or service.preview is not None:
        return told
    return told.model_copy(update={"reason": f"{told.reason}; {service.created}, the newest revision, gets no traffic"})


def _why(service: Service, revision: Revision | None = None) -> str:
    words = (revision and (revision.message or revision.reason)) or service.message or service.reason
    return show(words or "no reason given", limit=_LONGEST)


def _step(service: Service, revision: Revision | None = None) -> str:
    if revision is None and service.unmet:
        return f"read why, mend that, and send the traffic of {service.name} again"
    message = (revision and revision.message) or service.message
    return step_of(service, revision, [message], (revision and revision.reason) or service.reason)


def _with_bytes(told: Gate, wanted: WantedImage, inspected: Sequence[Inspected], gaps: Sequence[Gap]) -> Gate:
    """Served by digest: now the files decide, where code probes are about them."""
    proofs = [(each, proof) for each in inspected for proof in proofs_of(each)]
    against = [(each, proof) for each, proof in proofs if proof.result is Outcome.CONTRADICTED]
    if against:
        each, proof = against[0]
        reason = f"{each.contents.digest[:_HEX]} serves, and {proof.reason}"
        step = "build it without a cache from a commit that has the fix, and deploy that"
        more = {"deployed": False, "level": Level.BYTES, "reason": reason, "next_step": step, "final": True}
        return told.model_copy(update=more)
    if any(proof.result is Outcome.UNKNOWN for _, proof in proofs):
        gap = gaps[0] if gaps else None
        reason = f"it serves, and its files could not be read: {gap.reason if gap else 'no answer'}"
        return told.model_copy(
            update={"level": Level.BYTES, "reason": reason, "next_step": gap.next_step if gap else "look again"}
        )
    if wanted.digest is None and not proofs:
        return told.model_copy(
            update={
                "reason": f"no image is tagged {wanted.named}, and no code probe of the settings is of that commit",
                "next_step": "push a tag that is named by the commit, or give --digest",
                "final": True,
            }
        )
    files = f", and {counted(len(proofs), 'code probe holds', 'code probes hold')}" if proofs else ""
    level = Level.BYTES if proofs else Level.DIGEST
    reason = f"every share of the traffic serves it{files}"
    return told.model_copy(update={"deployed": True, "level": level, "reason": reason, "final": True})
