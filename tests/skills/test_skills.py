"""The skills and the server are held together: every tool that is named exists, every rule has its page."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from checks.judge.rules import RULES
from mcp_server.app import NAME, read_tools
from skills import SKILLS, body, description, pages, read_page

from support.mcp_world import ERAS, client_of
from support.paths import ROOT
from support.paths import RULES as RULES_FOLDER

FOLDER = ROOT / "skills"
FIELDS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
"""All that the open specification knows."""

TOOLS = {tool.name for tool in read_tools()}
SPELLINGS = (f"mcp__{NAME}__", f"mcp__plugin_{NAME}_{NAME}__")
HEADINGS = ("What it means", "What was looked at", "Where to look next", "What usually causes it", "When it is over")
REFERENCES = [page for page in pages() if "/references/" in page]


def frontmatter(skill: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load(read_page(f"{skill}/SKILL.md").split("---\n")[1]))


@pytest.mark.parametrize("skill", SKILLS)
def test_a_frontmatter_is_what_the_specification_knows(skill: str) -> None:
    head = frontmatter(skill)

    assert head.keys() <= FIELDS
    assert head["name"] == skill
    assert re.fullmatch(r"[a-z0-9-]{1,64}", skill)
    assert 0 < len(head["description"]) <= 1_024
    assert "Use " in head["description"]
    assert not set("<>") & set(head["description"])
    assert description(skill) == head["description"]


@pytest.mark.parametrize("skill", SKILLS)
def test_a_skill_may_call_every_tool_in_both_spellings_and_nothing_else(skill: str) -> None:
    allowed = frontmatter(skill)["allowed-tools"].split()

    assert sorted(allowed) == sorted(prefix + tool for prefix in SPELLINGS for tool in TOOLS)


@pytest.mark.parametrize("page", pages())
def test_every_tool_that_a_page_names_exists(page: str) -> None:
    named = set(
        re.findall(
            r"`((?:check|count|recent|list|describe|verify|search|find|plan|cleanup|write)_[a-z_]+)`", read_page(page)
        )
    )

    assert named <= TOOLS
    if page.endswith("SKILL.md") and page.startswith("validate-daily"):
        assert named == TOOLS


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert sorted(f"validate-daily/references/{rule.name}.md" for rule in RULES) == REFERENCES


@pytest.mark.parametrize("page", REFERENCES)
def test_a_page_says_when_to_read_it_what_to_do_what_not_and_when_it_is_over(page: str) -> None:
    text = read_page(page)

    assert text.startswith(f"# {Path(page).stem}\n\nRead this ")
    for heading in HEADINGS:
        assert f"\n## {heading}\n" in text
    assert "\nDo: " in text
    assert "\nDo not: " in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_page_names_every_severity_that_its_rule_can_give(rule: Any) -> None:
    source = (RULES_FOLDER / f"{rule.judge.__name__}.py").read_text("utf-8")
    text = read_page(f"validate-daily/references/{rule.name}.md")

    for severity in ("P0", "P1", "P2"):
        if f"Severity.{severity}" in source:
            assert severity in text
    if "Severity.UNKNOWN" in source:
        assert "unknown" in text.casefold()


@pytest.mark.parametrize("skill", SKILLS)
def test_a_body_is_short_and_every_page_that_it_names_is_there(skill: str) -> None:
    text = body(skill)

    assert len(text.splitlines()) < 500
    assert len(text) / 4 < 5_000
    for name in re.findall(r"references/([a-z-]+\.md)", text):
        assert f"{skill}/references/{name}" in pages()
    if skill == "validate-daily":
        assert set(re.findall(r"^- `references/([a-z-]+)\.md`", text, re.MULTILINE)) == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", ["", "validate-daily", "../pyproject.toml", "validate-daily/references/../SKILL.md"])
def test_only_pages_can_be_read(name: str) -> None:
    with pytest.raises(ValueError, match="there is no page"):
        read_page(name)


def test_every_file_of_a_skill_is_a_page() -> None:
    files = {
        str(path.relative_to(FOLDER)) for skill in SKILLS for path in (FOLDER / skill).rglob("*") if path.is_file()
    }

    assert files == set(pages())


@pytest.mark.parametrize("era", ERAS)
async def test_clients_that_see_no_files_get_every_page_as_a_resource(era: str) -> None:
    async with client_of({}, era) as client:
        listed = (await client.list_resources()).resources
        read = {str(each.uri): (await client.read_resource(str(each.uri))).contents for each in listed}

    assert sorted(read) == sorted(f"skill://{page}" for page in pages())
    for uri, (content,) in read.items():
        assert content.mime_type == "text/markdown"
        assert getattr(content, "text", None) == read_page(uri.removeprefix("skill://"))


@pytest.mark.parametrize("era", ERAS)
async def test_clients_without_skills_get_each_as_a_prompt(era: str) -> None:
    async with client_of({}, era) as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        plain = await client.get_prompt("validate-daily", {})
        asked = await client.get_prompt("session-handoff", {"about": "session 61"})

    assert set(prompts) == set(SKILLS)
    assert "## The daily check" in str(plain.messages[0].content)
    assert "name: validate-daily" not in str(plain.messages[0].content)
    assert "The argument: session 61" in str(asked.messages[0].content)
