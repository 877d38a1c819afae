import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.text.show import show

_ESCAPES = re.compile(r"\\(\\|[nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_SHORT = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


def read_back(shown: str) -> str:
    return _ESCAPES.sub(lambda match: _SHORT.get(match[1]) or chr(int(match[1][1:], 16)), shown)


@given(st.text(st.characters()))
def test_whatever_is_shown_reads_back_exactly(text: str) -> None:
    assert read_back(show(text)) == text


@given(st.text(st.characters()))
def test_nothing_that_a_terminal_would_obey_or_hide_is_shown(text: str) -> None:
    assert not {unicodedata.category(character) for character in show(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp", "Co"}


@pytest.mark.parametrize("text", ["PlayerGameSummaryProcessor", "p2_nba_raw.nbac_schedule", "Übersicht_診断", "a b"])
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    assert show(text) == text


@given(st.text(st.characters()), st.integers(1, 40))
def test_a_limit_bounds_what_is_shown(text: str, limit: int) -> None:
    assert len(show(text, limit=limit)) <= limit
