"""What somebody wants of a service or job: its message without what Cloud Run itself tells about it."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict

from checks.sources.cloud_run.client import Message
from validate_daily.repairs.plans.cloud_run_plans import LATEST, Traffic, Version

NONCE: Final = "redeploy-plan"
"""The label by which a revision is known as a plan's. An equal template would make no revision at all."""

_FILLED_IN: Final = frozenset(
    {
        *("uid", "generation", "create_time", "update_time", "delete_time", "expire_time", "creator", "last_modifier"),
        *("observed_generation", "terminal_condition", "conditions", "latest_ready_revision", "etag", "reconciling"),
        *("latest_created_revision", "traffic_statuses", "uri", "urls", "satisfies_pzs", "threat_detection_enabled"),
        *("execution_count", "latest_created_execution"),
    }
)
"""The fields that Cloud Run fills in."""

_BY_LATEST: Final = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_BY_NAME: Final = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field that differs between two messages: where it stands, and both values, None where it is not set."""

    path: str
    before: object
    after: object


def version(message: Message) -> Version:
    """The state that a message of a service or job tells of."""
    text = json.dumps(_intent(message), sort_keys=True, separators=(",", ":"))
    spec = hashlib.sha256(text.encode()).hexdigest()
    return Version(generation=message.generation, etag=message.etag, spec=spec)


def field_differences(
    before: Message, after: Message, parts: Collection[str] | None = None
) -> tuple[FieldDifference, ...]:
    """The fields in which what is wanted differs, sorted by their paths.

    Args:
        before: a service or job.
        after: another state of it.
        parts: the only fields of the top level that are compared; None compares all.
    """

    def compared(message: Message) -> dict[str, Any]:
        return {name: value for name, value in _intent(message).items() if parts is None or name in parts}

    return tuple(sorted(_differing("", compared(before), compared(after)), key=lambda each: each.path))


def changed_copy(message: Message, change: Callable[[Message], None]) -> Message:
    """A copy of a message, changed."""
    copy = type(message)()
    copy.CopyFrom(message)
    change(copy)
    return copy


def traffic(message: Message) -> tuple[Traffic, ...]:
    """The traffic that is wanted of a service; all of it follows the latest where nothing is said."""
    fields = tuple(
        Traffic(revision=LATEST if each.type_ == _BY_LATEST else each.revision, percent=each.percent, tag=each.tag)
        for each in message.traffic
    )
    return fields or (Traffic(percent=100),)


def set_traffic(message: Message, wanted: Iterable[Traffic]) -> None:
    """Want this traffic of a service."""
    del message.traffic[:]
    for each in wanted:
        kind = _BY_LATEST if each.revision == LATEST else _BY_NAME
        message.traffic.add(type_=int(kind), revision=each.revision, percent=each.percent, tag=each.tag)


def _intent(message: Message) -> dict[str, Any]:
    fields = MessageToDict(message, preserving_proto_field_name=True)
    return {name: value for name, value in fields.items() if name not in _FILLED_IN}


def _differing(path: str, before: object, after: object) -> Iterator[FieldDifference]:
    if before == after:
        return
    if _is_mapping(before) and _is_mapping(after):
        left, right = cast("Mapping[str, object]", before or {}), cast("Mapping[str, object]", after or {})
        for name in left.keys() | right.keys():
            yield from _differing(f"{path}.{name}".lstrip("."), left.get(name), right.get(name))
    elif (
        isinstance(before, list)
        and isinstance(after, list)
        and len(cast("list[Any]", before)) == len(cast("list[Any]", after))
    ):
        pairs = zip(cast("list[object]", before), cast("list[object]", after), strict=True)
        for place, (left_item, right_item) in enumerate(pairs):
            yield from _differing(f"{path}[{place}]", left_item, right_item)
    else:
        yield FieldDifference(path, before, after)


def _is_mapping(value: object) -> bool:
    """What is absent has no entries."""
    return value is None or isinstance(value, Mapping)
