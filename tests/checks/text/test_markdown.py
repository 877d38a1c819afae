import pytest

from checks.text.markdown import escape_markdown


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", r"a\|b"),
        ("*bold* `code` [link](x)", r"\*bold\* \`code\` \[link\](x)"),
        ("snake_case", "snake_case"),
        ("_edge_", r"\_edge\_"),
        ("<b> and 1 < 2", r"\<b> and 1 < 2"),
        ("a\nb", r"a\\nb"),
    ],
)
def test_markdown_obeys_nothing_of_a_stranger_s_text(text: str, written: str) -> None:
    assert escape_markdown(text) == written


def test_a_long_text_is_cut() -> None:
    assert escape_markdown("x" * 400, 10) == "x" * 9 + "…"
