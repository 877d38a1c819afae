import pytest

from checks.text.plural import counted, form


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 documents"), (1, "1 document"), (2, "2 documents"), (1_053, "1,053 documents"), (-1, "-1 document")],
)
def test_a_noun_agrees_with_its_number(number: int, words: str) -> None:
    assert counted(number, "document") == words


@pytest.mark.parametrize(("number", "words"), [(1, "1 retry"), (3, "3 retries")])
def test_a_noun_may_have_a_plural_of_its_own(number: int, words: str) -> None:
    assert counted(number, "retry", "retries") == words


@pytest.mark.parametrize(("number", "word"), [(0, "have"), (1, "has"), (2, "have")])
def test_a_verb_agrees_with_its_number(number: int, word: str) -> None:
    assert form(number, "has", "have") == word
