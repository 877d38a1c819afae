"""A number that may be 1 is never written before a plural by hand: ``counted`` and ``form`` make them agree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.paths import ROOT

ELSEWHERE = ("heartbeat", "validate_daily/sandbox", "validate_daily/source_code")
"""Import nothing of the checks, and so not the helper either."""
NO_PLURALS = {"is", "was", "has", "does", "less", "characters", "bytes"}
"""Words in s that are none; and sizes that are refused because they are large."""
LIMIT = re.compile(r"[A-Z_]{3,}|limits|most|size|depth|max_pages")
"""A limit is many."""
COUNTS = re.compile(r"len\(|sum\(|count|total|lines|turns|looks|moved|planned")


def plurals(source: str) -> Iterator[str]:
    """Each number in an f-string that is followed by a plural."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for number, text in zip(node.values, node.values[1:], strict=False):
            if not isinstance(number, ast.FormattedValue) or not isinstance(text, ast.Constant):
                continue
            said = ast.unparse(number.value)
            grouped = number.format_spec is not None and "," in ast.unparse(number.format_spec)
            word = re.match(r" (?:(?:more|malformed|such|code) )?([a-z-]+s)\b", str(text.value))
            if not word or word[1] in NO_PLURALS or LIMIT.search(said) or "counted(" in said:
                continue
            if grouped or COUNTS.search(said):
                yield f"{{{said}}} {word[1]}"


def files() -> list[Path]:
    folders = [ROOT / name for name in ("checks", "mcp_server", "skills", "validate_daily")]
    return [
        path
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        if not str(path.relative_to(ROOT)).startswith(ELSEWHERE)
    ]


def test_numbers_and_words_agree_in_every_sentence_of_ours() -> None:
    found = [f"{path.relative_to(ROOT)}: {each}" for path in files() for each in plurals(path.read_text("utf-8"))]

    assert found == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('f"{len(names)} jobs differ"', ["{len(names)} jobs"]),
        ('f"{count:,} more documents"', ["{count} documents"]),
        ("f\"{counted(len(names), 'job')} differ\"", []),
        ('f"more than {MOST:,} documents"', []),
    ],
)
def test_a_number_before_a_plural_is_found(source: str, found: list[str]) -> None:
    assert list(plurals(source)) == found
