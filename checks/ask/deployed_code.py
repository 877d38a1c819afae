"""Asks what really runs: every share of a service's traffic and every job, from the label down to the bytes."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from checks.ask.snapshot import DEFAULT_TIMEOUT, collect, target_of
from checks.evidence.deployments import Deployments
from checks.evidence.snapshot import Snapshot
from checks.judge.deployed.code import ProbeReport, SubjectProbed, missing, of_image, of_subject, report_of
from checks.judge.rules import context_of
from checks.settings.code_probe import CodeProbe
from checks.settings.deployments import ServiceSettings
from checks.settings.errors import UsageError
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SourceName
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.progress import Progress, quiet
from checks.text.show import show

_SOURCES: Final[tuple[SourceName, ...]] = ("cloud-run", "registry", "firestore", "logging")


async def probe(
    pipeline: Pipeline,
    *,
    subject: str | None = None,
    asked: CodeProbe | None = None,
    whole: bool = False,
    session: Login | None = None,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that sources share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> ProbeReport:
    """Look into what serves and what jobs would run.

    Args:
        pipeline: whose settings name the code probes.
        subject: one service or job; None means all that a code probe is about.
        asked: look for this instead of what the settings name.
        whole: read every layer, and tell whether an image's code can be imported and its command run.
        session: the way to Google; one for this look unless given.
        timeout: seconds that all reading together may take.
        progress: told how far the long reads are.
        environment: where addresses are looked up.

    Raises:
        UsageError: there is nothing to look for, or no such service or job.
    """
    narrowed = _narrowed(pipeline, subject, asked)
    snapshot = await collect(
        narrowed,
        sources=_SOURCES,
        whole_images=whole,
        session=session,
        timeout=timeout,
        progress=progress,
        environment=environment,
    )
    return report_of(
        pipeline.pipeline.name,
        snapshot.taken_at,
        list(_subjects(snapshot, subject, by_hand=asked is not None)),
        snapshot.gaps,
        snapshot.targets,
        complete=subject is not None or snapshot.deployments is None or snapshot.deployments.complete,
    )


def _subjects(snapshot: Snapshot, subject: str | None, *, by_hand: bool) -> Iterator[SubjectProbed]:
    """Each that is asked about, those that are not there among them; nothing where Cloud Run gave no answer."""
    pipeline, found = snapshot.pipeline, snapshot.deployments
    if found is None:
        return
    context = context_of(snapshot)
    there = {each.name: each for each in (*found.services, *found.jobs)}
    if subject is not None and subject not in there and found.complete:
        raise UsageError(
            f"Cloud Run has no service or job {show(subject, limit=100)} there; validate-daily check lists them"
        )
    named = [each.name for each in (*pipeline.services, *pipeline.jobs)]
    for name in [subject] if subject is not None else dict.fromkeys([*there, *named]):
        if name in there and pipeline.probes_of(name):
            yield of_subject(context, there[name], by_hand=by_hand)
        elif pipeline.probes_of(name):
            yield missing(name)


async def probe_image(
    pipeline: Pipeline,
    reference: str,
    asked: CodeProbe | None = None,
    *,
    whole: bool = False,
    session: Login | None = None,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - as above
    environment: Mapping[str, str] = os.environ,
) -> ProbeReport:
    """Look into one image that a person names: ``host/path/name:tag`` or ``host/path/name@sha256:...``.

    Other arguments and errors are as for ``probe``.
    """
    from checks.sources.budget import Budget  # noqa: PLC0415 - the same
    from checks.sources.image_references import parse_image  # noqa: PLC0415 - Google's packages load when used
    from checks.sources.registry.addresses import manifest_address  # noqa: PLC0415 - the same
    from checks.sources.registry.inspection import inspect_image  # noqa: PLC0415 - the same
    from checks.sources.registry.tags import read_tags  # noqa: PLC0415 - the same

    try:
        image = parse_image(reference)
    except ValueError as error:
        raise UsageError(f"{show(reference, limit=200)} is no image: {error}") from None
    probes = (asked,) if asked else pipeline.code_probes
    if not probes:
        raise UsageError(_NOTHING)
    target, budget, login = target_of(pipeline, "registry", environment), Budget(timeout), session or Login()
    try:
        manifest_address(target, image.repository, image.digest or image.tag or "")
    except SourceError as error:
        raise UsageError(f"{error}; {error.next_step}") from None
    tags, gaps = await read_tags([image] if not image.digest else [], target, budget, login=login)
    deployments = Deployments(tags=tags)
    digest = deployments.digest_of(image)
    inspected = (
        await inspect_image(image.repository, digest, probes, target, budget, login, whole=whole) if digest else None
    )
    subject_probed = of_image(image, digest, inspected, gaps)
    return report_of(pipeline.pipeline.name, datetime.now(UTC), [subject_probed], gaps, [target])


_NOTHING: Final = (
    "nothing to look for: name a file with --path and --contains, or [[code_probes]] in the settings that are about it"
)


def _narrowed(pipeline: Pipeline, subject: str | None, asked: CodeProbe | None) -> Pipeline:
    """The same settings, with the code probes that are asked about."""
    probes = (asked,) if asked else pipeline.code_probes if subject is None else pipeline.probes_of(subject)
    if not probes and subject is not None and pipeline.code_probes:
        raise UsageError(
            f"no code probe of the settings is about {show(subject, limit=100)}: is the name right? If so, name a file "
            "with --path and --contains"
        )
    if not probes:
        raise UsageError(_NOTHING)
    if subject is None:
        return pipeline.model_copy(update={"code_probes": probes})
    named = {each.name for each in (*pipeline.services, *pipeline.jobs)}
    more = (
        () if subject in named else (ServiceSettings(name=subject),)
    )  # a person may ask about one that they do not name
    probes = tuple(each.model_copy(update={"subjects": (subject,)}) for each in probes)
    return pipeline.model_copy(update={"code_probes": probes, "services": (*pipeline.services, *more)})
