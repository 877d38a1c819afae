"""Reads Cloud Run's own messages into evidence. Pure; the only place that knows their fields.

What serves is told by the observed traffic and by each revision's own image: a template's image is what somebody typed.
Every container is told; which of them is the program is not asked here (``own_containers``).
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from checks.evidence.containers import Container, Image
from checks.evidence.deployments import Job, Preview, Revision, Service, Share, State
from checks.settings.sources import Sources
from checks.sources.cloud_run.client import Message
from checks.sources.cloud_run.owners import read_owner
from checks.sources.image_references import parse_image
from checks.sources.resource_names import NAME
from checks.sources.times import moment
from checks.text.redact import excerpt

_LATEST: Final = 1  # TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_STATES: Final = {1: State.PENDING, 2: State.PENDING, 3: State.FAILED, 4: State.SUCCEEDED}
_OUTCOMES: Final = {1: State.SUCCEEDED, 2: State.FAILED, 3: State.PENDING, 4: State.PENDING, 5: State.FAILED}
_CANCELLED: Final = 5  # ExecutionReference.CompletionStatus.EXECUTION_CANCELLED
_NOT_AN_ERROR: Final = 3  # INFO, a condition's severity
_RETIRED: Final = "RETIRED"
_MANUAL: Final = 2  # ServiceScaling.ScalingMode.MANUAL
_MESSAGE: Final = 1_000
"""Characters of a condition's message that are kept."""
_NO_IMAGE: Final = Image(reference="", repository="")


def read_service(service: Message, place: tuple[str, str], sources: Sources) -> Service:
    """One service, without its revisions.

    Args:
        service: ``google.cloud.run.v2.Service`` as raw protobuf.
        place: the project and region that were asked.
        sources: which labels and environment variables are of interest.

    Raises:
        ValueError: a field holds what evidence cannot.
    """
    condition, ready = service.terminal_condition, _named(service.latest_ready_revision)
    state = _STATES.get(condition.state, State.UNKNOWN)
    cause = _cause(service.conditions, condition) if state is State.FAILED else condition
    containers = _containers(service.template.containers, sources)
    return Service(
        name=_named(service.name),
        project=place[0],
        region=place[1],
        image=containers[0].image if containers else _NO_IMAGE,
        containers=_several(containers),
        port=_port(containers),
        reconciling=service.reconciling,
        settled=service.observed_generation == service.generation,
        created=_named(service.latest_created_revision),
        ready=ready,
        shares=_shares(service, ready),
        wanted=_above_zero(service.traffic, ready),
        previews=_previews(service),
        pinned=bool(service.traffic) and not any(_follows(target) for target in service.traffic),
        instances=_instances(service),
        state=state,
        reason=_reason(cause),
        message=_words(condition.message or cause.message),
        commit=_commit(sources, service.labels, service.template.labels) or _claim(containers),
        client=_text(service.client),
        owner=read_owner(service),
        updated_at=_moment(service.update_time),
    )


def read_revision(revision: Message, service: Service, sources: Sources) -> Revision:
    """One revision of a service. Arguments and errors as for ``read_service``."""
    own = next((each for each in revision.conditions if each.type_ == "Ready"), None)
    state = _STATES.get(own.state, State.UNKNOWN) if own else State.UNKNOWN
    cause = _cause(revision.conditions, own) if state is State.FAILED else None
    containers = _containers(revision.containers, sources)
    return Revision(
        name=_named(revision.name),
        service=_named(revision.service) or service.name,
        image=containers[0].image if containers else _NO_IMAGE,
        containers=_several(containers),
        port=_port(containers),
        created_at=_moment(revision.create_time),
        ready=state,
        reason=_reason(cause) if cause is not None else None,
        message=_words(cause.message if cause is not None else own.message if own else ""),
        retired=any(_word(each) == _RETIRED for each in revision.conditions),
        commit=_commit(sources, revision.labels) or _claim(containers),
        flags=containers[0].flags if containers else {},
    )


def read_job(job: Message, place: tuple[str, str], sources: Sources) -> Job:
    """One job. Arguments and errors as for ``read_service``."""
    containers, last = _containers(job.template.template.containers, sources), job.latest_created_execution
    return Job(
        name=_named(job.name),
        project=place[0],
        region=place[1],
        image=containers[0].image if containers else _NO_IMAGE,
        containers=_several(containers),
        executions=job.execution_count,
        last_run=_moment(last.create_time) if last.HasField("create_time") else None,
        last_execution=_named(last.name) or None,
        last_state=_OUTCOMES.get(last.completion_status, State.UNKNOWN),
        cancelled=last.completion_status == _CANCELLED,
        commit=_commit(sources, job.labels, job.template.labels) or _claim(containers),
        flags=containers[0].flags if containers else {},
        client=_text(job.client),
        owner=read_owner(job),
    )


def short(name: str) -> str:
    """The last part of a resource name."""
    return name.rpartition("/")[2]


def _named(name: str) -> str:
    """The short name of a service, job or revision; empty where there is none.

    Raises:
        ValueError: Cloud Run gives no such names: what says so is not Cloud Run, and no name is put into a sentence.
    """
    if name and not NAME.fullmatch(last := short(name)):
        raise ValueError(f"{last!r} is no name that Cloud Run gives")
    return short(name)


def _shares(service: Message, ready: str) -> tuple[Share, ...]:
    """The observed traffic; where a service neither asks for nor shows any, all of it goes to the latest ready one."""
    if not service.traffic and not service.traffic_statuses:
        return (Share(revision=ready, percent=100, latest=True),) if ready else ()
    return _above_zero(service.traffic_statuses, ready)


def _above_zero(targets: Iterable[Message], ready: str) -> tuple[Share, ...]:
    shares = (
        Share(
            revision=ready if _is_latest(each) else _named(each.revision),
            percent=each.percent,
            latest=_is_latest(each),
        )
        for each in targets
        if each.percent > 0
    )
    return tuple(share for share in shares if share.revision)


def _previews(service: Message) -> tuple[Preview, ...]:
    """The traffic tags at 0 percent; one that follows the latest revision is that of the newest."""
    found = {
        (each.tag, service.latest_created_revision if _is_latest(each) else each.revision): None
        for each in (*service.traffic, *service.traffic_statuses)
        if each.tag and each.percent == 0
    }
    return tuple(Preview(tag=excerpt(tag), revision=_named(revision)) for tag, revision in found)


def _is_latest(target: Message) -> bool:
    """Whether a target follows the latest revision: it says so, or it names none."""
    return target.type_ == _LATEST or not target.revision


def _follows(target: Message) -> bool:
    return target.percent > 0 and _is_latest(target)


def _instances(service: Message) -> int | None:
    scaling = service.scaling
    return scaling.manual_instance_count if scaling.scaling_mode == _MANUAL else None


def _containers(containers: Iterable[Message], sources: Sources) -> tuple[Container, ...]:
    """Every container. An image that nothing can be made of hides none of the others, and is a failure alone."""
    listed = list(containers)
    return tuple(_container(each, sources, alone=len(listed) == 1) for each in listed)


def _container(container: Message, sources: Sources, *, alone: bool) -> Container:
    try:
        image = parse_image(container.image)
    except ValueError:
        if alone:
            raise
        image = Image(reference=excerpt(container.image), repository="")
    claims = _values(container, sources.commit_variables)
    return Container(
        name=excerpt(container.name),
        image=image,
        port=container.ports[0].container_port if container.ports else None,
        depends_on=tuple(excerpt(each) for each in container.depends_on),
        flags=_values(container, sources.flags),
        commit=next((claims[name] for name in sources.commit_variables if claims.get(name)), None),
    )


def _port(containers: tuple[Container, ...]) -> int | None:
    """Where requests arrive: Cloud Run lets one container alone have ports."""
    return next((each.port for each in containers if each.port), None)


def _several(containers: tuple[Container, ...]) -> tuple[Container, ...]:
    return containers if len(containers) > 1 else ()


def _claim(containers: tuple[Container, ...]) -> str | None:
    """The commit that the environment of a container that stands alone claims; of several, whoever knows them says."""
    return containers[0].commit if len(containers) == 1 else None


def _values(container: Message, wanted: Collection[str]) -> dict[str, str]:
    """The environment variables that the settings name; what comes from a secret is not read."""
    return {
        each.name: excerpt(each.value)
        for each in container.env
        if each.name in wanted and each.WhichOneof("values") == "value"
    }


def _cause(conditions: Iterable[Message], own: Message) -> Message:
    """The condition that says why a revision is not ready: its Ready one, or one that is more precise."""
    failed = (each for each in conditions if _STATES.get(each.state) is State.FAILED)
    others = (each for each in failed if each.severity != _NOT_AN_ERROR and _word(each))
    return own if _word(own) else next(others, own)


def _reason(condition: Message) -> str | None:
    return _word(condition) if _STATES.get(condition.state) is State.FAILED else None


def _word(condition: Message) -> str | None:
    """Cloud Run's own word of the three kinds of reasons, None where it gives none."""
    field = condition.WhichOneof("reasons")
    number = getattr(condition, field) if field else 0
    if not number:
        return None
    kind = condition.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return kind.name if kind else str(number)


def _commit(sources: Sources, *labels: Message) -> str | None:
    claims = (each[sources.commit_label] for each in labels if sources.commit_label in each)
    return next((excerpt(claim) for claim in claims if claim), None)


def _text(text: str) -> str | None:
    return excerpt(text) if text else None


def _words(text: str) -> str | None:
    """What Cloud Run says of a failure, long enough to act on: what is to be granted to whom stands at its end."""
    return excerpt(text, _MESSAGE) if text else None


def _moment(stamp: Timestamp) -> datetime:
    if stamp.seconds <= 0:
        raise ValueError("a time is missing")
    try:
        return moment(stamp.seconds * 1_000_000 + stamp.nanos // 1_000)
    except OverflowError:
        raise ValueError(f"a time that no calendar holds ({stamp.seconds} s)") from None
