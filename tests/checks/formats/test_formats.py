"""What holds of every format, whatever it writes."""

import json
import pkgutil
import re
from datetime import timedelta

import pytest

from checks.formats import (
    DEPLOY_GATE_FORMATS,
    DEPLOYED_CODE_FORMATS,
    EXAMINATION_FORMATS,
    FORMATS,
    SOURCE_CODE_FORMATS,
)
from checks.formats.format import Format, format_named
from checks.judge.comparison import Since, compare
from checks.judge.report import Report
from validate_daily.commands.handoff import FORMATS as HANDOFF_FORMATS

from support.paths import ROOT, TESTS
from support.snapshots import document, judged, pipeline

TABLES: list[tuple[Format[...], ...]] = [
    FORMATS, DEPLOYED_CODE_FORMATS, DEPLOY_GATE_FORMATS, EXAMINATION_FORMATS, SOURCE_CODE_FORMATS, HANDOFF_FORMATS,
]  # fmt: skip
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
HOSTILE = "evil\x1b[2J\u202eid_None_é"
STALE = f"stale {HOSTILE}"


@pytest.mark.parametrize("writer", sorted({each.writer for table in TABLES for each in table}))
def test_the_writer_is_there(writer: str) -> None:
    assert callable(pkgutil.resolve_name(writer))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table[0].writer)
def test_people_come_first_and_every_name_is_there_once(table: tuple[Format[...], ...]) -> None:
    names = [each.name for each in table]

    assert names[0] == "terminal"
    assert len(set(names)) == len(names)
    assert all(format_named(each.name, table) is each for each in table)


@pytest.mark.parametrize("one", FORMATS, ids=lambda each: each.name)
def test_a_format_of_the_check_has_a_file_and_a_test_of_its_name(one: Format[[Report, Since | None]]) -> None:
    assert one.writer.startswith(f"checks.formats.{one.name}:")
    assert (ROOT / "checks" / "formats" / f"{one.name}.py").exists()
    assert (TESTS / "checks" / "formats" / f"test_{one.name}.py").exists()


@pytest.mark.parametrize("one", FORMATS, ids=lambda each: each.name)
def test_a_stranger_s_text_cannot_act_on_whoever_looks_at_a_report(one: Format[[Report, Since | None]]) -> None:
    before = judged([document("Active", timedelta(minutes=1))])
    report = judged([document(HOSTILE), document(STALE, timedelta(days=5))], pipeline([STALE]))  # evidence, a subject

    text = one.write(report, compare(before, report))

    assert not OBEYED.search(text)
    assert text.endswith("\n")
    assert "stale evil" in text
    if one.media_type.endswith("json"):
        assert text.isascii()
        assert isinstance(json.loads(text), dict)
