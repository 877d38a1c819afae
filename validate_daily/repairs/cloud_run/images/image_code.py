"""What the files of an image say of the fixes that the settings' code probes look for: the probe of every rollout."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from checks.evidence.deployments import Image
from checks.evidence.images import Starting
from checks.judge.deployed.proofs import Outcome, Proof, proofs_of, worst
from checks.sources.budget import Budget
from checks.sources.registry.inspection import inspect_image
from checks.text.plural import counted, form
from checks.text.show import show
from validate_daily.repairs.cloud_run.session import RunSession

_LACKS: Final = 5
_SECONDS: Final = 60.0
"""What looking for an image's start may take: what is not read by then is not known, and keeps nobody from anything."""


@dataclass(frozen=True, slots=True)
class ImageCode:
    """What was found in the images that a service runs, or would run.

    Attributes:
        result: the worst of all; None where no code probe is about the service.
        summary: the same in a sentence.
        next_step: what to do where it is not matched.
    """

    result: Outcome | None
    summary: str
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class ImageFitness:
    """Whether an image is known to be bad, before anything runs it.

    Attributes:
        code: what code probes found in it.
        bad: why it is known to be bad, in sentences.
        notes: what else was seen of its start, or could not be: it keeps nobody from anything.
    """

    code: ImageCode
    bad: tuple[str, ...]
    notes: tuple[str, ...]


async def fitness_of(session: RunSession, service: str, image: Image) -> ImageFitness:
    """Look into an image for a service's code probes, and for what it needs to start. Arguments as for ``code_of``."""
    code, starting = await asyncio.gather(code_of(session, service, [image]), _starting(session, image))
    bad = [code.summary] if code.result is Outcome.CONTRADICTED else []
    if starting is None:
        return ImageFitness(code, tuple(bad), ())
    lacks = [f"it lacks {show(each.what, limit=200)}: {show(each.why, limit=300)}" for each in starting.lacks[:_LACKS]]
    if starting.note is not None:
        return ImageFitness(code, (*bad, *lacks), (f"whether it can start is not known: {starting.note}",))
    return ImageFitness(code, (*bad, *lacks), ())


async def _starting(session: RunSession, image: Image) -> Starting | None:
    if image.digest is None:
        return None
    budget = Budget(min(_SECONDS, session.budget.remaining() / 2))
    found = await inspect_image(
        image.repository, image.digest, (), session.registry, budget, session.reader, whole=True
    )
    return found.starting


async def code_of(session: RunSession, service: str, images: Iterable[Image]) -> ImageCode:
    """Look into images for a service's code probes. Never raises for what a registry does.

    Args:
        session: the way there.
        service: whose code probes.
        images: those that it runs, or would run, by digest.
    """
    probes = session.settings.pipeline.probes_of(service)
    if not probes:
        return ImageCode(None, "no code probe of the settings is about it: what is inside is not measured")
    proofs: list[Proof] = []
    for repository, digest in dict.fromkeys((image.repository, image.digest) for image in images):
        if digest is None:
            return ImageCode(
                Outcome.UNKNOWN, f"what is inside is unknown: {repository} is named by no digest", "run again"
            )
        inspected = await inspect_image(repository, digest, probes, session.registry, session.budget, session.reader)
        proofs += proofs_of(inspected)
    result = worst(proof.result for proof in proofs)
    first = next((proof for proof in proofs if proof.result is result), None)
    if result is Outcome.CONTRADICTED and first:
        return ImageCode(
            result, f"LACKS {first.probe}: {first.reason}", f"build {service} anew without a cache, and push it"
        )
    if result is Outcome.UNKNOWN:
        reason = first.reason if first else "no image could be looked into"
        return ImageCode(result, f"what is inside is unknown: {reason}", (first and first.next_step) or "run again")
    return ImageCode(
        result, f"its files hold what {counted(len(probes), 'code probe')} {form(len(probes), 'looks', 'look')} for"
    )
