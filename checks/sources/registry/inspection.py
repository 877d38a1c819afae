"""Looks into every image that serves or that a job would run, once each, for all code probes that it must pass."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from checks.evidence.deployments import Deployments, Image
from checks.evidence.images import Inspected
from checks.evidence.running_images import RunningImage, by_share, parts_of
from checks.evidence.snapshot import Gap, Target
from checks.settings.code_probe import CodeProbe
from checks.settings.pipeline import Pipeline
from checks.sources.budget import Budget, gaps
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.registry.image.files import read_files
from checks.sources.registry.image.start import starting_of
from checks.sources.registry.probed_files import probed_file
from checks.sources.registry.tags import SOURCE
from checks.text.show import show

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
    nameless: list[tuple[str, SourceError]] = []
    for one in (*deployments.services, *deployments.jobs):
        probes = {probe.name: probe for probe in pipeline.probes_of(one.name)}
        for part in parts_of(pipeline, deployments, one) if probes else ():
            if part.image and part.digest:
                wanted.setdefault((part.image.repository, part.digest), {}).update(probes)
            elif part.image and not _is_told_of(deployments, part):
                nameless.append((f"code probes in {part.name}", _no_digest(part.image)))
    turn = asyncio.Semaphore(1 if whole else _AT_ONCE)  # whole images are held by their names
    login = login or Login()

    async def inspect(repository: str, digest: str, probes: Sequence[CodeProbe]) -> Inspected:
        async with turn:
            return await inspect_image(repository, digest, probes, target, budget, login, whole=whole)

    inspected = await asyncio.gather(
        *(inspect(repository, digest, list(probes.values())) for (repository, digest), probes in sorted(wanted.items()))
    )
    seen = deployments.model_copy(update={"inspected": tuple(inspected)})
    return tuple(inspected), gaps(SOURCE, [*nameless, *_unknown(inspected), *_undecided(pipeline, seen)])


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
    probed = tuple(probed_file(probe, found[probe.path], read.texts.get(probe.path)) for probe in probes)
    starting = await asyncio.to_thread(starting_of, read) if whole else None
    return Inspected(contents=read.contents, probed=probed, starting=starting)


def _is_told_of(deployments: Deployments, part: RunningImage) -> bool:
    """Whether a gap says already why nothing is known of an image: its tag could not be looked up."""
    return part.share is None and part.image is not None and bool(part.image.tag) and not deployments.tag(part.image)


def _no_digest(image: Image) -> SourceError:
    return SourceError(
        f"which digest {show(image.reference, limit=300)} stands for is not known",
        "push the tag, or deploy it by digest",
    )


def _undecided(pipeline: Pipeline, deployments: Deployments) -> Iterator[tuple[str, SourceError]]:
    """Code probes of which the containers that may be ours hold different things: which of them is ours decides."""
    for one in (*deployments.services, *deployments.jobs):
        for group in by_share(parts_of(pipeline, deployments, one)):
            unclear = next((part.own for part in group if part.own and part.own.unclear), None)
            if unclear is None:
                continue
            for probe in pipeline.probes_of(one.name):
                if len({_holds(part, probe) for part in group}) > 1:
                    error = SourceError(unclear.unclear or "", unclear.next_step)
                    yield f"code probe {probe.name} in {one.name}", error


def _holds(part: RunningImage, probe: CodeProbe) -> bool | None:
    probed = part.inspected.probed if part.inspected else ()
    return next((each.holds for each in probed if each.probe.name == probe.name), None)


def _unknown(inspected: Sequence[Inspected]) -> Iterator[tuple[str, SourceError]]:
    for each in inspected:
        where = f"{each.contents.repository}@{each.contents.digest[:19]}"
        for probed in each.probed:
            if probed.holds is None:
                error = SourceError(probed.file.reason or "no answer", probed.file.next_step or "try again")
                yield f"code probe {probed.probe.name} in {where}", error
