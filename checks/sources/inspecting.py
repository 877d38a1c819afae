"""Looks into every image that serves or that a job would run, once each, for all code probes that it must pass."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from checks.code_probe import CodeProbe
from checks.deployments import Deployments, Image
from checks.errors import SourceError
from checks.evidence import Gap, Target
from checks.pipeline import Pipeline
from checks.proof import Inspected, Outcome, prove
from checks.sources.image.reader import read_files
from checks.sources.image.starting import starting_of
from checks.sources.login import Login
from checks.sources.reading import Budget, gaps
from checks.sources.registry import SOURCE

_AT_ONCE: Final = 3


async def inspect_images(
    pipeline: Pipeline,
    deployments: Deployments,
    target: Target,
    budget: Budget,
    *,
    login: Login | None = None,
    whole: bool = False,
) -> tuple[tuple[Inspected, ...], tuple[Gap, ...]]:
    """Look into images; each digest of a repository is read once, whoever runs it.

    Args:
        pipeline: what its code probes want, and of whom.
        deployments: what serves, and where tags point.
        target: a practice registry, which stands for all of them; else the registry that each image names.
        budget: what all looks together may take.
        login: whose credentials; the application's default ones unless given.
        whole: read every layer, and tell whether the image's code can be imported and its command run.

    Returns:
        An inspection for each image; and a gap for what no probe could tell, which is never a proof.
    """
    wanted: dict[tuple[str, str], dict[str, CodeProbe]] = {}
    for name, image in running(deployments):
        digest = deployments.digest_of(image)
        if digest and (probes := pipeline.probes_of(name)):
            wanted.setdefault((image.repository, digest), {}).update({probe.name: probe for probe in probes})
    turn = asyncio.Semaphore(1 if whole else _AT_ONCE)  # whole images are held by their names
    login = login or Login()

    async def look(repository: str, digest: str, probes: Sequence[CodeProbe]) -> Inspected:
        async with turn:
            return await inspect_image(repository, digest, probes, target, budget, login, whole=whole)

    inspected = await asyncio.gather(
        *(look(repository, digest, list(probes.values())) for (repository, digest), probes in sorted(wanted.items()))
    )
    return tuple(inspected), gaps(SOURCE, _unknown(inspected))


async def inspect_image(
    repository: str,
    digest: str,
    probes: Sequence[CodeProbe],
    target: Target,
    budget: Budget,
    login: Login,
    *,
    whole: bool = False,
) -> Inspected:
    """Look into one image. Never raises for what a registry does. Arguments as for ``inspect_images``."""
    paths = [probe.path for probe in probes]
    read = await read_files(
        repository, digest, paths, target=target, budget=budget, login=login, application=whole, whole=whole
    )
    found = {file.path: file for file in read.contents.files}
    proofs = tuple(prove(probe, found[probe.path], read.texts.get(probe.path)) for probe in probes)
    starting = await asyncio.to_thread(starting_of, read) if whole else None
    return Inspected(contents=read.contents, proofs=proofs, starting=starting)


def running(deployments: Deployments) -> Iterator[tuple[str, Image]]:
    """Every service and job, with each image that serves its traffic, or that its next execution would run."""
    for service in deployments.services:
        yield from ((service.name, revision.image) for _, revision in service.serving if revision)
    yield from ((job.name, job.image) for job in deployments.jobs)


def _unknown(inspected: Sequence[Inspected]) -> Iterator[tuple[str, SourceError]]:
    for each in inspected:
        where = f"{each.contents.repository}@{each.contents.digest[:19]}"
        for proof in each.proofs:
            if proof.result is Outcome.UNKNOWN:
                error = SourceError(proof.file.reason or "no answer", proof.next_step or "try again")
                yield f"code probe {proof.probe} in {where}", error
