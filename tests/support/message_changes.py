"""Whole messages of Cloud Run before and after: every field that differs, by its path."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from google.protobuf.json_format import MessageToDict

_SAID: Final = frozenset(
    {
        *("uid", "generation", "create_time", "update_time", "creator", "last_modifier", "observed_generation", "etag"),
        *("terminal_condition", "conditions", "latest_ready_revision", "latest_created_revision", "reconciling"),
        *("traffic_statuses", "uri", "urls", "execution_count", "latest_created_execution"),
    }
)
"""What Cloud Run says of a service or job, and nobody wants."""


def wanted_of(message: Any) -> dict[str, object]:
    """Everything that is wanted of a service or job: each field that is set, by its path."""
    fields = MessageToDict(message, preserving_proto_field_name=True)
    return dict(_flat({name: value for name, value in fields.items() if name not in _SAID}, ""))


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    """Everything that differs, by its path; None stands for what is not there."""
    return {
        path: (before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    }


def _flat(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, each in cast("Mapping[str, object]", value).items():
            yield from _flat(each, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for place, each in enumerate(cast("list[object]", value)):
            yield from _flat(each, f"{path}[{place}]")
    else:
        yield path, value
