"""What the files of an image say of the fixes that the settings' code probes look for: the probe of every rollout."""

from collections.abc import Iterable
from dataclasses import dataclass

from checks.evidence.deployments import Image
from checks.judge.deployed.proofs import Outcome, Proof, proofs_of, worst
from checks.sources.registry.inspection import inspect_image
from checks.text.plural import counted, form
from validate_daily.repairs.cloud_run.session import RunSession


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
