"""Lends the skills' pages to clients that see no files: each page is a resource, each skill a prompt."""

from functools import partial
from typing import Annotated, Any, Final

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.resources import FunctionResource
from pydantic import Field

from skills import SKILLS, body, pages, read_page

SCHEME: Final = "skill"
_TITLES: Final = {
    "validate-daily": "Validate the pipeline's monitoring",
    "session-handoff": "Hand a session over, or take one over",
}
_SUMMARIES: Final = {
    "validate-daily": "Judge the pipeline's heartbeats, and find the cause of what is wrong",
    "session-handoff": "End a session with measured claims, or measure somebody's claims again",
}

About = Annotated[str, Field(description="what to look at: a scenario, a service, a rule, a question; may be empty")]


def add_pages(server: MCPServer[Any]) -> None:
    """Register every page and every prompt. No file is read before somebody asks for it."""
    for path in pages():
        name = path.rpartition("/")[2].removesuffix(".md")
        what = f"the rule {name}" if "/references/" in path else f"the skill {path.partition('/')[0]}"
        server.add_resource(
            FunctionResource.from_function(
                partial(read_page, path),
                uri=f"{SCHEME}://{path}",
                name=path,
                title=name,
                description=f"How to read and act on {what}",
                mime_type="text/markdown",
            )
        )
    for skill in SKILLS:
        server.add_prompt(
            Prompt.from_function(_prompt(skill), name=skill, title=_TITLES[skill], description=_SUMMARIES[skill])
        )


def _prompt(skill: str) -> Any:  # noqa: ANN401 - the SDK reads the signature
    def prompt(about: About = "") -> str:
        argument = f"\n\nThe argument: {about}\n" if about else "\n\nThere is no argument.\n"
        return body(skill) + argument

    return prompt
