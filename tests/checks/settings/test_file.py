import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.settings.address import endpoint, plain_text
from checks.settings.errors import SettingsError
from checks.settings.file import load_settings, parse_settings
from checks.settings.heartbeat_fields import HeartbeatFields, StatusWords
from checks.settings.heartbeats import Processor
from checks.settings.template import settings_text
from checks.text.duration import format_duration, parse_duration

MINIMAL = '[pipeline]\nname = "nba"\nproject = "demo-nba"\n'

WRONG = {
    "no pipeline": ("", r"^F: pipeline: field required"),
    "not TOML": ("[pipeline", r"^F: not valid TOML: "),
    "unknown section": (MINIMAL + "[heartbeat]\n", r"^F: heartbeat: unknown key \(did you mean heartbeats\?\)"),
    "unknown key": (MINIMAL + "[heartbeats]\nlate_afer='2h'\n", r"heartbeats.late_afer: unknown key.*late_after\?"),
    "later capability's key": (MINIMAL + "[http]\nport = 8080\n", r"^F: http.port: unknown key"),
    "an unknown way to agree": (MINIMAL + "[writes]\napproval = 'model'\n", r"writes.approval: .*got 'model'"),
    "an account that is none": (MINIMAL + "[writes]\nimpersonate = 'root'\n", r"writes.impersonate: .*got 'root'"),
    "no documents at all": (MINIMAL + "[writes]\nmax_documents = 0\n", r"writes.max_documents: .*got 0"),
    "a model that is none": (MINIMAL + "[agent]\nmodel = 'a model'\n", r"agent.model: .*got 'a model'"),
    "no turn": (MINIMAL + "[agent]\nturns = 0\n", r"agent.turns: .*got 0"),
    "no time": (MINIMAL + "[agent]\ntime = '0s'\n", r"agent.time: a duration is"),
    "half a price": (MINIMAL + "[agent.price]\ninput = 1\n", r"agent.price.output: field required"),
    "a key in the settings": (MINIMAL + "[agent]\napi_key = 'x'\n", r"agent.api_key: unknown key"),
    "a log's path": (MINIMAL + "[audit]\ncloud_logging = 'a/b'\n", r"audit.cloud_logging: .*got 'a/b'"),
    "trash in the collection": (
        MINIMAL + "[heartbeats]\ntrash_collection = 'processor_heartbeats'\n",
        r"trash_collection is the collection 'processor_heartbeats' itself",
    ),
    "wrong type": (MINIMAL + "[thresholds]\nnotice = 'many'\n", r"thresholds.notice: .*integer.*got 'many'"),
    "number without unit": (MINIMAL + "[heartbeats]\nlate_after = 7200\n", r"late_after: a duration is.*got 7200"),
    "unknown unit": (MINIMAL + "[heartbeats]\nlate_after = '2w'\n", r"late_after: a duration is .*got '2w'"),
    "no duration at all": (MINIMAL + "[heartbeats]\nlate_after = '0h'\n", r"late_after: a duration is .*above 0"),
    "late above down": (MINIMAL + "[heartbeats]\nlate_after = '2d'\n", r"late_after \(2d\) is above down_after \(1d\)"),
    "a processor's late above the common down": (
        MINIMAL + "[heartbeats]\nprocessors = [{ name = 'Weekly', late_after = '8d' }]\n",
        r"processor 'Weekly': late_after \(8d\) is above down_after \(1d\)",
    ),
    "threshold order": (MINIMAL + "[thresholds]\nnotice = 100\n", r"notice \(100\) < p1 \(100\) < p0 \(500\)"),
    "time zone": (MINIMAL + "timezone = 'Mars/Base'\n", r"pipeline.timezone: no such time zone.*got 'Mars/Base'"),
    "time zone as a path": (MINIMAL + "timezone = '../../etc/passwd'\n", r"pipeline.timezone: no such time zone"),
    "a processor twice": (MINIMAL + "[heartbeats]\nprocessors = ['A', 'A']\n", r"'A' is named twice"),
    "a former name that is another's": (
        MINIMAL + "[heartbeats]\nprocessors = ['A', { name = 'B', former_names = ['A'] }]\n",
        r"'A' is named twice",
    ),
    "a processor's unknown key": (
        MINIMAL + "[heartbeats]\nprocessors = ['A', { name = 'B', late = '2h' }]\n",
        r"heartbeats.processors\[1\].late: unknown key",
    ),
    "a processor that can be no id": (MINIMAL + "[heartbeats]\nprocessors = ['a/b']\n", r"processors\[0\].*'a/b'"),
    "a collection that is a path": (MINIMAL + "[heartbeats]\ncollection = 'a/b'\n", r"heartbeats.collection: "),
    "plain text beyond loopback": (MINIMAL + "[endpoints]\nrun = '10.0.0.1:80'\n", r"endpoints.run: .*beyond loopback"),
    "somebody else's host": (MINIMAL + "[endpoints]\nrun = 'https://evil.example'\n", r"endpoints.run: .*neither"),
    "a host that only ends like Google's": (
        MINIMAL + "[endpoints]\nrun = 'https://evilgoogleapis.com'\n",
        r"endpoints.run: .*neither",
    ),
    "an empty audience": (MINIMAL + "[http]\naudience = ''\n", r"http.audience\[0\]: .*got ''"),
    "an audience in plain text": (MINIMAL + "[http]\naudience = 'http://x.example'\n", r"http.audience\[0\]: "),
    "an audience without a host": (MINIMAL + "[http]\naudience = ['https:///mcp']\n", r"http.audience\[0\]: "),
    "a whole domain of readers": (MINIMAL + "[http]\nreaders = ['*@example.com']\n", r"http.readers\[0\]: "),
    "a writer that is no email": (MINIMAL + "[http]\nwriters = ['ana']\n", r"http.writers\[0\]: .*got 'ana'"),
    "control characters in a value": (MINIMAL + 'region = "\\u001b[2J"\n', r"pipeline.region: .*got '\\\\x1b\[2J'"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_the_settings_is_named_by_key_and_value(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, origin="F")

    assert re.search(message, str(caught.value)), str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_every_wrong_key_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(MINIMAL + "[heartbeats]\nfoo = 1\n[thresholds]\nbar = 2\n", origin="F")

    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == ["heartbeats.foo", "thresholds.bar"]


def test_defaults_are_those_of_phase_0_2() -> None:
    pipeline = parse_settings(MINIMAL, origin="F")

    assert (pipeline.thresholds.notice, pipeline.thresholds.p1, pipeline.thresholds.p0) == (50, 100, 500)
    assert pipeline.heartbeats.limits(None) == (timedelta(hours=2), timedelta(hours=24))
    assert (pipeline.heartbeats.collection, pipeline.heartbeats.database) == ("processor_heartbeats", "(default)")
    assert pipeline.heartbeat_project == "demo-nba"


@pytest.mark.parametrize("name", ["template", "example"])
def test_the_shipped_settings_files_are_valid(name: str) -> None:
    assert parse_settings(settings_text(name), origin=name).pipeline.name


def test_the_template_names_every_key() -> None:
    from checks.settings import pipeline  # noqa: PLC0415 - read for its models

    text = settings_text("template")
    for section in (
        pipeline.Identity,
        pipeline.Heartbeats,
        pipeline.Thresholds,
        pipeline.Endpoints,
        pipeline.Http,
        Processor,
        HeartbeatFields,
        StatusWords,
        pipeline.Sources,
        pipeline.ServiceSettings,
        pipeline.JobSettings,
        pipeline.Quiet,
        pipeline.Accepted,
        pipeline.Writes,
        pipeline.AuditLog,
        pipeline.Agent,
    ):
        for name, field in section.model_fields.items():
            key = field.alias or name
            written = re.search(rf"\b{key} =|^# \[heartbeats\.{key}\]$", text, re.MULTILINE)
            assert written, f"say in checks/settings/template.toml what {key} is, as a comment"


def test_the_settings_are_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, name: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MINIMAL.replace("nba", name))
        return path

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    environment = {"VALIDATE_DAILY_CONFIG": str(write(tmp_path / "variable.toml", "variable"))}

    def found(config: Path | None, variables: dict[str, str]) -> tuple[str, bool]:
        settings = load_settings(config, variables)
        return settings.pipeline.pipeline.name, settings.named

    with pytest.raises(SettingsError, match=r"no settings.*validate-daily init.*validate-daily demo"):
        load_settings(None, {})
    write(tmp_path / "validate-daily.toml", "open")
    assert found(None, {}) == ("open", False)
    write(tmp_path / "own" / "validate-daily" / "validate-daily.toml", "own")
    assert found(None, {}) == ("own", True)
    assert found(None, environment) == ("variable", True)
    assert found(write(tmp_path / "named.toml", "named"), environment) == ("named", True)


def test_a_file_that_was_only_found_may_not_lead_beyond_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "validate-daily.toml"
    path.write_text(MINIMAL + "[endpoints]\nrun = 'https://us-west2-run.googleapis.com'\n")

    with pytest.raises(SettingsError, match=r"endpoints.run leads beyond this machine.*--config"):
        load_settings(None, {})
    assert load_settings(path, {}).pipeline.endpoints.run == "https://us-west2-run.googleapis.com"


WRITES = MINIMAL + "[writes]\nenabled = true\nmax_documents = 9\n[audit]\npath = 'a'\n[agent]\nturns = 99\n"


def test_writes_audit_and_agent_count_only_in_a_file_that_the_user_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "validate-daily.toml"
    path.write_text(WRITES)

    found, named = load_settings(None, {}), load_settings(path, {})

    assert (found.writes.enabled, found.writes.max_documents, found.audit.path) == (False, 2_000, None)
    assert re.search(r"merely found in the open directory.*--config", found.no_writes or "")
    assert (named.writes.enabled, named.writes.max_documents, named.audit.path) == (True, 9, "a")
    assert (found.agent.turns, named.agent.turns) == (30, 99)
    assert named.no_writes is None


def test_settings_that_say_nothing_of_writes_switch_them_off_and_say_so(tmp_path: Path) -> None:
    path = tmp_path / "validate-daily.toml"
    path.write_text(MINIMAL)

    assert re.search(r"does not switch writes on: set enabled = true", load_settings(path, {}).no_writes or "")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe", "not UTF-8"), (b"#" * (2 << 20), "hardly a settings file")],
    ids=["not UTF-8", "huge"],
)
def test_a_file_that_is_no_settings_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "validate-daily.toml"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=message):
        load_settings(path, {})


@pytest.mark.parametrize("path", [Path("absent.toml"), Path(os.sep)], ids=["absent", "a folder"])
def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read: .*--config"):
        load_settings(path, {})


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "localhost:1", "[::1]:65535", "127.9.9.9:80"])
def test_loopback_addresses_are_accepted_in_plain_text(address: str) -> None:
    assert plain_text(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "8080",
        "http://127.0.0.1:80",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:80/x",
        "firestore:8080",
        "0.0.0.0:80",
        "127.0.0.1.evil.example:80",
        "localhost.evil.example:80",
        "user@127.0.0.1:80",
    ],
)
def test_anything_else_is_refused_in_plain_text(address: str) -> None:
    with pytest.raises(ValueError, match=r"no host:port|beyond loopback"):
        plain_text(address)


@pytest.mark.parametrize(
    "address", ["https://us-west2-run.googleapis.com", "https://us-docker.pkg.dev", "https://gcr.io"]
)
def test_googles_own_hosts_are_accepted_over_tls(address: str) -> None:
    assert endpoint(address) == address


def test_one_audience_needs_no_list_and_emails_know_no_case() -> None:
    http = parse_settings(
        MINIMAL + "[http]\naudience = 'https://a.example'\nreaders = ['Ana@Example.com']\n", origin="F"
    ).http

    assert http.audience == ("https://a.example",)
    assert http.readers == ("ana@example.com",)


@given(st.integers(1, 10**6), st.sampled_from("smhd"))
def test_a_duration_reads_as_it_was_written(number: int, unit: str) -> None:
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]

    assert parse_duration(f"{number}{unit}") == timedelta(seconds=number * seconds)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=59.9), "59s"),
        (timedelta(hours=2, minutes=10, seconds=5), "2h 10m"),
        (timedelta(days=5, minutes=3), "5d 3m"),
        (-timedelta(hours=3), "-3h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


def test_the_place_of_a_job_is_looked_at_like_that_of_a_service() -> None:
    text = MINIMAL + "region = 'us-west2'\n[[jobs]]\nname = 'backfill'\nregion = 'europe-west1'\nproject = 'theirs'\n"

    assert set(parse_settings(text, origin="F").places) == {("demo-nba", "us-west2"), ("theirs", "europe-west1")}
