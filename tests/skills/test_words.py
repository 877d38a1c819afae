"""What the pages say in code's own words is what the code says: fields, arguments, settings, limits."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest

from checks.evidence.snapshot import Heartbeat
from checks.judge.processors import CHANNEL_MINIMUM
from checks.settings.heartbeat_fields import HeartbeatFields, StatusWords
from checks.settings.heartbeats import DEAD_BEATS, STALE_BEATS, Heartbeats, Processor, Thresholds
from checks.settings.pipeline import Pipeline
from checks.settings.sources import Sources
from checks.sources.firestore.tally import CLOCK_SKEW, HOUR
from mcp_server.app import read_tools
from skills import pages, read_page

TOOLS = read_tools()
QUOTED = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"[a-z][a-z_]*(?:\.[a-z_]+)?")
PLAIN = {"null", "unknown", "false", "no", "off"}
"""Values that a page quotes."""


def fields(schema: Any) -> Iterator[str]:
    """Every field that a schema names, however deep."""
    if isinstance(schema, dict):
        known = cast("dict[str, Any]", schema)
        yield from known.get("properties", {})
        for part in known.values():
            yield from fields(part)
    elif isinstance(schema, list):
        for part in cast("list[Any]", schema):
            yield from fields(part)


ANSWERED = {field for tool in TOOLS for field in fields(tool.output_schema)}
ASKED = {argument for tool in TOOLS for argument in fields(tool.parameters)}
SET = {*Processor.model_fields, *Heartbeats.model_fields, *Sources.model_fields, "follows", "tag"}
WORDS = StatusWords()
DOCUMENTS = {
    *HeartbeatFields().model_dump().values(), *WORDS.running, *WORDS.completed, *WORDS.failed, *Heartbeat.model_fields,
}  # fmt: skip
"""What documents hold."""
KNOWN = ANSWERED | ASKED | SET | {tool.name for tool in TOOLS} | PLAIN | DOCUMENTS


def hours(limit: timedelta) -> str:
    return f"{limit // timedelta(hours=1)} h"


def minutes(limit: timedelta) -> str:
    return f"{limit // timedelta(minutes=1)} min"


def quoted(page: str) -> list[str]:
    return QUOTED.findall(read_page(page))


@pytest.mark.parametrize("page", pages())
def test_every_field_argument_and_setting_that_a_page_names_exists(page: str) -> None:
    words = {part for word in quoted(page) if WORD.fullmatch(word) for part in word.split(".")}

    assert words <= KNOWN


def test_the_vocabulary_is_no_blank_cheque() -> None:
    assert {"serving", "scanned", "reconciling", "created"} <= ANSWERED
    assert not {"digests", "deleted", "write", "plan"} & KNOWN


@pytest.mark.parametrize("page", pages())
def test_a_tool_takes_what_a_page_calls_it_with(page: str) -> None:
    text = " ".join(read_page(page).split())
    taken = {tool.name: set(tool.parameters["properties"]) for tool in TOOLS}

    for tool, told in re.findall(r"`([a-z_]+)` with ((?:`[^`]+`|[^`.:;])*)", text):
        for argument in QUOTED.findall(told):
            assert argument.partition(":")[0] in taken[tool]
    assert set(re.findall(r'`phase: "([^"]+)"`', text)) <= {"0.2", "all"}


@pytest.mark.parametrize("page", pages())
def test_every_settings_key_that_a_page_names_exists(page: str) -> None:
    for section, key in re.findall(r"`\[+([a-z_]+)\]+(?: ([a-z_]+))?`", read_page(page)):
        assert section in Pipeline.model_fields
        assert not key or key in getattr(Pipeline.model_fields[section].annotation, "model_fields", {})


COUNTS = {3: "three", 60_000_000: "a minute", 3_600_000_000: "the last hour"}
LIMITS = {
    "heartbeat-proliferation": (
        f"P0 above {Thresholds().p0} documents",
        f"P1 above {Thresholds().p1}",
        f"P2 above {Thresholds().notice}",
    ),
    "stale-heartbeats": (f"{hours(Heartbeats().late_after)} and {hours(Heartbeats().down_after)} unless",),
    "dead-run": (
        f"P2 after `stale_after` ({minutes(Heartbeats().stale_after)})",
        f"P1 after `dead_after` ({minutes(Heartbeats().dead_after)})",
        f"to {STALE_BEATS} and {DEAD_BEATS} beats",
    ),
    "stuck-operation": (f"({Sources().operation_limit.seconds // 60} minutes unless set)",),
    "heartbeat-channel-down": (f"At least {COUNTS[CHANNEL_MINIMUM]} processors",),
    "future-heartbeats": (f"more than {COUNTS[CLOCK_SKEW]} ahead",),
    "regrowth": (f"within {COUNTS[HOUR]}",),
    "heartbeats-switched-off": tuple(f"`{flag}" for flag in Sources().flags),
}
"""The limits that a rule judges by, as its page must say them."""


@pytest.mark.parametrize("rule", LIMITS)
def test_a_page_says_the_limits_that_its_rule_judges_by(rule: str) -> None:
    text = " ".join(read_page(f"validate-daily/references/{rule}.md").split())

    for limit in LIMITS[rule]:
        assert limit in text
