"""The skills as an assistant reads them, and the headless agent that follows them over the tools.

May import checks; the agent starts the server as a process and never imports it.
"""

from importlib import resources
from typing import Final

SKILLS: Final = ("validate-daily", "session-handoff")
_REFERENCES: Final = "references"
_BODY: Final = "SKILL.md"


def pages() -> tuple[str, ...]:
    """The paths of all pages, such as ``validate-daily/SKILL.md`` and ``validate-daily/references/regrowth.md``."""
    found: list[str] = []
    for skill in SKILLS:
        folder = resources.files(__name__).joinpath(skill)
        found.append(f"{skill}/{_BODY}")
        references = folder.joinpath(_REFERENCES)
        if references.is_dir():
            names = sorted(each.name for each in references.iterdir() if each.name.endswith(".md"))
            found += [f"{skill}/{_REFERENCES}/{name}" for name in names]
    return tuple(found)


def read_page(path: str) -> str:
    """The text of one of ``pages()``.

    Raises:
        ValueError: it is none of them.
    """
    if path not in pages():
        raise ValueError(f"there is no page {path!r}")
    return resources.files(__name__).joinpath(*path.split("/")).read_text("utf-8")


def body(skill: str) -> str:
    """A skill without its frontmatter: what the assistant is told.

    Raises:
        ValueError: there is no such skill.
    """
    text = read_page(f"{skill}/{_BODY}")
    return text.partition("\n---\n")[2].lstrip() if text.startswith("---\n") else text


def description(skill: str) -> str:
    """What a skill is for, in its own words.

    Raises:
        ValueError: there is no such skill.
    """
    import yaml  # noqa: PLC0415 - only for whoever reads a frontmatter

    head = read_page(f"{skill}/{_BODY}").removeprefix("---\n").partition("\n---\n")[0]
    return str(yaml.safe_load(head)["description"])
