"""One tool, made of one function: exact about its arguments, and its answers safe to hand to a model.

The function's name, docstring and types are the tool's contract. Arguments that it does not know are refused. What it
returns goes out twice, as structured content and as the same JSON in text, with strangers' text made inert.
"""

import json
from collections.abc import Callable
from inspect import getdoc
from typing import Any, Final

from mcp.server.context import LifespanContextT, RequestT
from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import override

from checks.evidence.base import INERT
from checks.settings.errors import UsageError
from checks.sources.errors import SourceError
from checks.text.show import show

READS: Final = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
"""A tool that looks, and can change nothing."""

_MOST: Final = 120


class _Answers(FuncMetadata):
    """Turns what a function returned into what a client gets."""

    @override
    def convert_result(self, result: Any) -> CallToolResult | InputRequiredResult:
        if isinstance(result, InputRequiredResult | CallToolResult) or not isinstance(result, BaseModel):
            return super().convert_result(result)
        payload = result.model_dump(mode="json", by_alias=True, context=INERT)
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=payload)


class _Tool(Tool):
    """Says in a sentence what is wrong with a call, and what to do."""

    @override
    async def run(
        self, arguments: dict[str, Any], context: Context[LifespanContextT, RequestT], convert_result: bool = False
    ) -> Any:
        try:
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(f"{self.name}: {_refused(error.__cause__)}") from error.__cause__
            if isinstance(error.__cause__, SourceError):
                raise ToolError(f"{self.name}: {error.__cause__}; {error.__cause__.next_step}") from error.__cause__
            if isinstance(error.__cause__, UsageError):
                raise ToolError(f"{self.name}: {error.__cause__}") from error.__cause__
            raise


CHANGES: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)
"""A tool that changes what a person has agreed to."""

ASKS: Final = {"anthropic/requiresUserInteraction": True}
"""Keeps a client from calling such a tool where there is nobody to ask."""


def write_tool(function: Callable[..., Any], title: str) -> Tool:
    """A tool that changes. Arguments as for ``read_tool``."""
    return _build(function, title, CHANGES, ASKS)


def read_tool(function: Callable[..., Any], title: str) -> Tool:
    """A tool that only reads.

    Args:
        function: takes its arguments by keyword and a ``Context``; returns a model.
        title: what people see.
    """
    return _build(function, title, READS, None)


def _build(function: Callable[..., Any], title: str, hints: ToolAnnotations, meta: dict[str, Any] | None) -> Tool:
    tool = _Tool.from_function(
        function, title=title, description=getdoc(function), annotations=hints, meta=meta, structured_output=True
    )
    known = tool.fn_metadata
    exact = type(known.arg_model.__name__, (known.arg_model,), {"model_config": ConfigDict(extra="forbid")})
    tool.fn_metadata = _Answers(
        arg_model=exact, output_model=known.output_model, output_schema=_schema(known), wrap_output=False
    )
    tool.parameters = _brief(exact)
    return tool


def _schema(known: FuncMetadata) -> dict[str, Any]:
    """What goes out, which differs from what the model accepts."""
    return known.output_model.model_json_schema(mode="serialization")


def _brief(arguments: type[ArgModelBase]) -> dict[str, Any]:
    """The schema of the arguments without titles: each of them costs whoever reads all tools, and says nothing."""
    schema = arguments.model_json_schema(by_alias=True)
    for part in (schema, *schema.get("properties", {}).values()):
        part.pop("title", None)
    return schema


def _refused(error: ValidationError) -> str:
    """Each argument that is wrong, and what is wrong with it."""
    errors = error.errors(include_url=False, include_context=False)
    return "; ".join(
        f"{show('.'.join(map(str, each['loc'])), limit=_MOST)}: {_sentence(each['type'], each['msg'])}"
        for each in errors
    )


def _sentence(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "no such argument"
    return message.removeprefix("Value error, ")
