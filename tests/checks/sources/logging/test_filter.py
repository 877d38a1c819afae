import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.sources.logging.filter import MAX_FILTER, AllOf, AnyOf, Compare, Not, anywhere, log_filter

UNTIL = datetime(2026, 2, 1, 22, 0, tzinfo=UTC)
SINCE = UNTIL - timedelta(hours=24)
BOUNDS = 'timestamp>="2026-01-31T22:00:00.000000Z" AND timestamp<="2026-02-01T22:00:00.000000Z" AND '
INJECTIONS = [
    'x" OR severity>="DEFAULT',
    'x") OR (textPayload:"',
    "x\\",
    '\\" OR "',
    "AND",
    "OR NOT",
    "-- comment",
    'timestamp>="1970-01-01T00:00:00Z"',
    "x) OR (y",
]
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')


def read_back(text: str) -> str:
    """The one quoted value of a comparison on textPayload, as Cloud Logging reads it."""
    match = _QUOTED.fullmatch(text.removeprefix("textPayload:"))
    assert match is not None
    return re.sub(r"\\(.)", r"\1", match[1])


@pytest.mark.parametrize("value", INJECTIONS)
def test_an_injection_stays_a_value(value: str) -> None:
    assert read_back(str(Compare("textPayload", ":", value))) == value


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_every_printable_value_reads_back(value: str) -> None:
    assert read_back(str(Compare("textPayload", ":", value))) == value


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "\x7f", "\ud800"])
def test_what_cannot_be_sent_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="cannot be searched for"):
        Compare("textPayload", ":", value)


@pytest.mark.parametrize(
    "field", ["textPayload", "jsonPayload.message", "resource.labels.service_name", 'labels."run.googleapis.com/x"']
)
def test_field_paths_are_accepted(field: str) -> None:
    assert str(Compare(field, "=", "v")) == f'{field}="v"'


@pytest.mark.parametrize(
    "field", ["", "a b", "a=b", 'a"', "a.", ".a", "a OR b", "1a", 'labels."a"b"', "a\n", "ä", "a..b", "-a", "a" * 200]
)
def test_what_is_no_field_path_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="is no field path"):
        Compare(field, "=", "v")


def test_every_group_stands_in_parentheses_and_both_bounds_before_it() -> None:
    part = AllOf((AnyOf((Compare("a", "=", "1"), Compare("b", "=", "2"))), Not(Compare("c", ":", "3"))))

    assert log_filter(SINCE, UNTIL, part) == BOUNDS + '(((a="1" OR b="2") AND NOT (c:"3")))'


def test_times_of_any_zone_are_sent_in_utc() -> None:
    zone = timezone(timedelta(hours=-8))

    assert log_filter(SINCE.astimezone(zone), UNTIL.astimezone(zone), Compare("a", "=", "b")).startswith(BOUNDS)


def test_a_text_anywhere_is_one_group() -> None:
    assert str(anywhere("x", "textPayload", "jsonPayload.message")) == '(textPayload:"x" OR jsonPayload.message:"x")'


@pytest.mark.parametrize(
    ("since", "until"),
    [(UNTIL, SINCE), (SINCE.replace(tzinfo=None), UNTIL), (SINCE, UNTIL.replace(tzinfo=None))],
    ids=["out of order", "since without a zone", "until without a zone"],
)
def test_bounds_that_bound_nothing_are_refused(since: datetime, until: datetime) -> None:
    with pytest.raises(ValueError, match="must bear a zone and be in order"):
        log_filter(since, until, Compare("a", "=", "b"))


def test_a_filter_is_never_longer_than_accepted() -> None:
    fits = MAX_FILTER - len(log_filter(SINCE, UNTIL, Compare("a", ":", "")))

    assert len(log_filter(SINCE, UNTIL, Compare("a", ":", "x" * fits))) == MAX_FILTER
    with pytest.raises(ValueError, match="20,001 characters and 20,000 are accepted"):
        log_filter(SINCE, UNTIL, Compare("a", ":", "x" * (fits + 1)))


@pytest.mark.parametrize("group", [AnyOf, AllOf])
def test_an_empty_group_is_refused(group: type[AnyOf | AllOf]) -> None:
    with pytest.raises(ValueError, match="without parts"):
        str(group(()))


@pytest.mark.parametrize("value", [*INJECTIONS, r"a\.b", r"(x|y)+\\z"])
def test_a_regular_expression_is_quoted_like_any_value(value: str) -> None:
    part = str(anywhere(value, "textPayload", operator="=~"))

    assert part.startswith('(textPayload=~"')
    assert read_back(part.removeprefix("(textPayload=~").removesuffix(")")) == value
