"""What a text in source code is put together from, where that can be seen."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from validate_daily.source_code.module import last_name

_RUN: Final = re.compile(
    r"(^|_)(run|runs|date|dates|day|today|now|utcnow|time|timestamp|ts|uuid[14]?|guid|execution|exec|attempt|job_id|"
    r"invocation|correlation_id|strftime|isoformat|hex|token_hex|time_ns|started_at|start_time)(_|$|id$)|runid$"
)
_NOT_A_RUN: Final = frozenset({"runner", "job_name", "run_type", "time_zone", "run_name"})


def is_built(node: ast.expr) -> bool:
    """Whether it is a text put together from several parts."""
    match node:
        case ast.JoinedStr(values=values):
            return len(values) > 1
        case ast.BinOp(op=ast.Add() | ast.Mod(), left=left, right=right):
            return any(_is_text(each) or is_built(each) for each in (left, right))
        case ast.Call(func=ast.Attribute(attr="format" | "join", value=value)):
            return _is_text(value)
        case _:
            return False


def run_part(node: ast.expr) -> str | None:
    """The first part of a text that is different for each run: its name; None if there is none."""
    for part in _parts(node):
        for each in ast.walk(part):
            name = last_name(each) if isinstance(each, ast.expr) else ""
            if name and _RUN.search(name.lower()) and name.lower() not in _NOT_A_RUN:
                return name
    return None


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.JoinedStr(values=values):
            yield from (value.value for value in values if isinstance(value, ast.FormattedValue))
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.Call(args=arguments, keywords=keywords):
            yield from (*arguments, *(keyword.value for keyword in keywords))
        case _:
            yield node


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
