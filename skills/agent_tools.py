"""The tools of a run: those of the server, the skill's pages, and the one that takes the report."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from anthropic.lib.tools import BetaAsyncFunctionTool, ToolError, beta_async_tool
from anthropic.lib.tools.mcp import async_mcp_tool
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp.types import Tool
from pydantic import ValidationError

from checks.evidence.base import inert
from skills import pages, read_page
from skills.agent_report import Conclusion, ToolUse

REPORT: Final = "submit_report"
PAGE: Final = "read_page"
_SHOWN: Final = 300
AnyTool = BetaAsyncFunctionTool[Any]


@dataclass(slots=True)
class RunRecord:
    """What a run has done so far: every call, everything that was answered, and the report once it is there.

    Attributes:
        calls: in order.
        seen: every string of every answer that was no error.
        conclusion: the model's report, once it is valid.
    """

    calls: list[ToolUse] = field(default_factory=list[ToolUse])
    seen: set[str] = field(default_factory=set[str])
    conclusion: Conclusion | None = None

    @property
    def answered(self) -> set[str]:
        """The tools that gave an answer which is no error."""
        return {each.tool for each in self.calls if each.error is None}


def is_write(tool: Tool) -> bool:
    """Whether a tool may change something: whatever does not say that it only reads."""
    return not (tool.annotations and tool.annotations.read_only_hint)


def tools_for(tools: list[Tool], client: Client, record: RunRecord) -> list[AnyTool]:
    """The tools that a run offers to the model."""
    return [*(_of_server(tool, client, record) for tool in tools), _page(), _report(record)]


def strings(value: object) -> Iterator[str]:
    """Every string of a value, keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in cast("dict[str, object]", value).items():
            yield key
            yield from strings(each)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from strings(each)


def _of_server(tool: Tool, client: Client, record: RunRecord) -> AnyTool:
    """A tool of the server, whose calls are written down."""
    writes = is_write(tool)
    like = async_mcp_tool(tool, cast("Any", client))

    def note_use(began: float, error: str | None) -> None:
        took = round(time.monotonic() - began, 3)
        message = None if error is None else inert(error, _SHOWN)
        record.calls.append(ToolUse(tool=tool.name, seconds=took, error=message, writes=writes))

    async def call(**arguments: object) -> Any:  # noqa: ANN401 - whatever the runner takes as an answer
        began = time.monotonic()
        try:
            answer = await like.call(arguments)
        except ToolError as refused:
            note_use(began, str(refused))
            raise
        except MCPError as lost:
            note_use(began, f"the server did not answer: {lost}")
            raise ToolError(f"the server did not answer: {lost}") from None
        note_use(began, None)
        record.seen.update(_strings_in(_text(answer)))
        return answer

    return beta_async_tool(call, name=like.name, description=like.description, input_schema=like.input_schema)


def _text(answer: object) -> str:
    """The words of an answer, as blocks of content or plain."""
    if not isinstance(answer, list):
        return str(answer)
    blocks = cast("list[dict[str, object]]", answer)
    return "\n".join(str(each.get("text", "")) for each in blocks)


def _strings_in(text: str) -> Iterator[str]:
    """The strings of an answer in JSON; any other is one."""
    try:
        yield from strings(json.loads(text))
    except ValueError:
        yield text


def _page() -> AnyTool:
    """The pages of the skill, which a client with files would read from them."""

    async def read(path: str) -> str:
        """Read a page of the skill: its path begins with the skill's name.

        Args:
            path: such as validate-daily/references/stale-heartbeats.md
        """
        name = path.removeprefix("skill://")
        if name not in pages():
            raise ToolError(f"there is no such page; there are: {', '.join(pages())}")
        return read_page(name)

    return beta_async_tool(read, name=PAGE)


def _report(record: RunRecord) -> AnyTool:
    """The one way to end: a report that is valid."""

    async def submit(**report: object) -> str:
        try:
            record.conclusion = Conclusion.model_validate_json(json.dumps(report))
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise ToolError(f"the report was not taken: {wrong}: mend it and submit it again") from None
        return "taken"

    return beta_async_tool(
        submit,
        name=REPORT,
        description="Ends the run with its report. Call it once, last, when everything was looked at.",
        input_schema=Conclusion,
    )
