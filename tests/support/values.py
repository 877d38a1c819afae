"""A value of every type that Firestore has, and of the kinds that are easily lost."""

import math
from datetime import UTC, datetime

from google.cloud.firestore_v1 import types as t

EVERY_TYPE = {
    "null": t.Value(null_value=0),
    "yes": t.Value(boolean_value=True),
    "small": t.Value(integer_value=-(2**63)),
    "nan": t.Value(double_value=math.nan),
    "minus zero": t.Value(double_value=-0.0),
    "when": t.Value(timestamp_value=datetime(2026, 1, 31, 23, 59, 59, 999_999, UTC)),
    "text": t.Value(string_value="\u202eé\x00\U0001f480"),
    "bytes": t.Value(bytes_value=bytes(range(256))),
    "point": t.Value(geo_point_value={"latitude": -89.5, "longitude": 179.25}),
    "list": t.Value(array_value=t.ArrayValue(values=[t.Value(integer_value=1), t.Value(string_value="1")])),
    "empty list": t.Value(array_value=t.ArrayValue()),
    "map": t.Value(map_value=t.MapValue(fields={"inner.field": t.Value(map_value=t.MapValue())})),
    "vector": t.Value(
        map_value=t.MapValue(
            fields={
                "__type__": t.Value(string_value="__vector__"),
                "value": t.Value(array_value=t.ArrayValue(values=[t.Value(double_value=0.5)])),
            }
        )
    ),
}
