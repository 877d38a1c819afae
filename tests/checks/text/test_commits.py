"""Which tags of images claim a commit."""

import pytest

from checks.text.commits import commit_of_tag


@pytest.mark.parametrize(
    "tag", ["2ebef0d", "b27420e01c5f", "0000000f", "1234567a", "2024abcd", "20241315ab", "1" * 40, "b2" * 20]
)
def test_a_hash_or_its_beginning_is_a_commit(tag: str) -> None:
    assert commit_of_tag(tag) == tag


@pytest.mark.parametrize(
    "tag",
    [
        *(None, "", "latest", "v1.2", "20241115", "7293846182", "1234567", "20241115a", "20241115093000", "1" * 39),
        *("2024-11-15", "2ebef0", "2EBEF0D", "a" * 41, "sha-2ebef0d", "19991231ff"),
    ],
)
def test_digits_dates_and_words_are_no_commits(tag: str | None) -> None:
    assert commit_of_tag(tag) is None
