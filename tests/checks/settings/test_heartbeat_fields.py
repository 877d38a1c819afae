"""What heartbeat documents call their fields, and their words for how a run stands."""

import pytest
from pydantic import ValidationError

from checks.settings.heartbeat_fields import HeartbeatFields, StatusWords, segments


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("beat", ("beat",)),
        ("meta.beat", ("meta", "beat")),
        ("`last-beat`", ("last-beat",)),
        ("meta.`last.beat`.at", ("meta", "last.beat", "at")),
        (r"`tick\`ed\\`", ("tick`ed\\",)),
    ],
)
def test_a_field_path_is_read_as_firestore_reads_it(path: str, names: tuple[str, ...]) -> None:
    assert segments(path) == names


@pytest.mark.parametrize(
    "path", ["", ".", "beat.", ".beat", "last-beat", "9lives", "a..b", "`open", "``", "a b", "__name__", "a.`__x__`"]
)
def test_what_is_no_field_path_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        HeartbeatFields(time=path)


def test_a_path_longer_than_firestore_takes_is_refused() -> None:
    with pytest.raises(ValidationError):
        HeartbeatFields(time="a" * 1_501)


@pytest.mark.parametrize(
    ("one", "other"), [("at", "at"), ("meta", "meta.at"), ("meta.at", "meta"), ("`at`", "at")], ids=str
)
def test_two_fields_cannot_be_the_same_or_lie_in_one_another(one: str, other: str) -> None:
    with pytest.raises(ValidationError, match="field of its own"):
        HeartbeatFields(time=one, started=other)


def test_words_of_status_count_whatever_their_case() -> None:
    assert StatusWords(running=(" Busy", "BUSY")).running == ("busy",)


@pytest.mark.parametrize("words", [("success",), ("Failed",)])
def test_a_word_means_one_thing(words: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="name it once"):
        StatusWords(running=words)


@pytest.mark.parametrize("word", ["", "w" * 101])
def test_a_word_has_a_length(word: str) -> None:
    with pytest.raises(ValidationError):
        StatusWords(failed=(word,))
