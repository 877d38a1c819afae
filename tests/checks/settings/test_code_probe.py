"""``[[code_probes]]``: what a settings file may say of them, and whom each is about."""

from typing import Any

import pytest

from checks.settings.errors import SettingsError
from checks.settings.file import parse_settings

HEAD = """
[pipeline]
name = "nba"
project = "demo-nba"
region = "us-west2"
"""
PROBE = '\n[[code_probes]]\nname = "fix"\npath = "/app/x.py"\n'
NAMED = '\n[[services]]\nname = "phase2"\n[[jobs]]\nname = "backfill"\n'


def parsed(text: str) -> Any:
    return parse_settings(HEAD + text, origin="F")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PROBE, "give exactly one of contains, matches, blob and exists"),
        (PROBE + 'contains = "a"\nmatches = "b"', "give exactly one of"),
        (PROBE + 'matches = "("', "no regular expression"),
        (PROBE + "exists = false", "code_probes[0].exists"),
        (PROBE + 'blob = "068c05d5"', "code_probes[0].blob"),
        (PROBE.replace("/app", "app") + "exists = true", "code_probes[0].path"),
        (PROBE + 'exists = true\nsource = "/etc/passwd"', "code_probes[0].source"),
        (PROBE + 'exists = true\nsource = "--upload-pack=x"', "code_probes[0].source"),
        (PROBE + "exists = true" + PROBE + "exists = true", "code probe 'fix' is there twice"),
        (PROBE + 'exists = true\nsubjects = ["nobody"]', "is about 'nobody', which is not among"),
        (PROBE + "exists = true\nexist = true", "did you mean exists?"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_named(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parsed(text)

    assert said in str(refused.value)


def test_a_probe_is_about_all_that_the_settings_name_unless_it_says_otherwise() -> None:
    everywhere = parsed(NAMED + PROBE + "exists = true")
    one = parsed(NAMED + PROBE + 'exists = true\nsubjects = ["backfill"]')
    nobody_named = parsed(PROBE + "exists = true")

    assert [bool(everywhere.probes_of(name)) for name in ("phase2", "backfill", "stranger")] == [True, True, False]
    assert [bool(one.probes_of(name)) for name in ("phase2", "backfill")] == [False, True]
    assert nobody_named.probes_of("whoever")
