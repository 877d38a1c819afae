"""The query language of log filters, as far as the practice cloud speaks it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.errors import RefusedError
from validate_daily.sandbox.logging.filter import read_filter
from validate_daily.sandbox.logging.messages import LogEntry
from validate_daily.sandbox.logging.store import LogStore

AT = datetime(2026, 2, 1, 12, 0, 0, 123_456, tzinfo=UTC)

store = LogStore(Clock(AT, speed=0))

TEXT = store.run_line(
    project="demo", location="us-west2", service="processors", revision="processors-00007-abc", at=AT,
    text="Heartbeat FAILED: permission denied\n", severity="WARNING", log="stderr",
)  # fmt: skip
TEXT.operation.id = "op-1"
JSON = store.job_line(
    project="demo", location="us-west2", job="backfill", execution="backfill-x7k", task=3, at=AT,
    payload={
        "message": "still running", "minutes": 12, "ok": True, "nothing": None, "Key": "exact",
        "run": {"id": "r-1", "a.b": "dotted"}, "tags": ["red", "Green"], "steps": [{"n": 1}, {"n": 2}],
        "empty": {}, "big": "9007199254740993",
    },
)  # fmt: skip


def matching(text: str) -> str:
    condition = read_filter(text)
    return "".join(letter for letter, entry in (("T", TEXT), ("J", JSON)) if condition(entry))


def refused(text: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        read_filter(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # nothing, and comments
        ("", "TJ"), ("  \n -- all of it", "TJ"), ("severity=INFO -- the job\n", "J"),
        # text: case-insensitive, whole or in part
        ('resource.type="cloud_run_revision"', "T"), ('resource.type="CLOUD_RUN_JOB"', "J"),
        ("resource.type=cloud_run_job", "J"), ("resource.type:run", "TJ"), ("resource.type : JOB", "J"),
        ('resource.type!="cloud_run_job"', "T"), ('resource.type>"cloud_run_job"', "T"),
        ("logName=projects/demo/logs/run.googleapis.com%2Fstderr", "T"), ('log_name:"stdout"', "J"),
        # fields that every entry has are compared with their defaults
        ('textPayload!="x"', "TJ"), ('NOT textPayload:"denied"', "J"), ("operation.id:*", "T"),
        ('operation.producer=""', "TJ"), ('trace!="t"', "TJ"), ("traceSampled=false", "TJ"),
        # labels, quoted keys, exact case of keys
        ('labels."run.googleapis.com/execution_name"="backfill-x7k"', "J"),
        ('resource.labels.service_name="processors"', "T"), ('resource.labels.Service_Name="processors"', ""),
        ('labels."run.googleapis.com/task_index">="3"', "J"), ('labels."run.googleapis.com/task_index":*', "J"),
        ("labels:*", "J"), ("resource:*", "TJ"),
        # missing: every comparison fails, and its negation holds
        ('labels.none!="x"', ""), ('NOT labels.none="x"', "TJ"), ('-labels.none="x"', "TJ"), ("labels.none:*", ""),
        ('jsonPayload.none!="x"', ""), ('NOT jsonPayload.none="x"', "TJ"), ('jsonPayload.none!~"x"', ""),
        # payloads
        ("jsonPayload:*", "J"), ("jsonPayload.minutes=12", "J"), ('jsonPayload.minutes="12"', "J"),
        ("jsonPayload.minutes>11.5", "J"), ("jsonPayload.minutes<12", ""), ("jsonPayload.minutes>-5", "J"),
        ("jsonPayload.minutes>=1.2e1", "J"), ('jsonPayload.minutes="twelve"', ""), ("jsonPayload.minutes:12", "J"),
        ('jsonPayload.minutes!="twelve"', ""), ("jsonPayload.ok=TRUE", "J"), ("jsonPayload.ok!=false", "J"),
        ("jsonPayload.ok>false", ""), ("jsonPayload.nothing=NULL_VALUE", "J"), ("jsonPayload.nothing:*", "J"),
        ("jsonPayload.ok!=NULL_VALUE", "J"), ('jsonPayload.nothing="NULL_VALUE"', ""),
        ("jsonPayload.message=NULL_VALUE", ""), ('jsonPayload.Key="EXACT"', "J"), ('jsonPayload.key="exact"', ""),
        ('jsonPayload.run.id="r-1"', "J"), ('jsonPayload.run."a.b"="dotted"', "J"), ('jsonPayload."run".id:"r"', "J"),
        ('jsonPayload."run"."a.b":*', "J"), ('jsonPayload.run="r-1"', ""), ('jsonPayload.run:"r-1"', "J"),
        ('jsonPayload:"r-1"', "J"), ("jsonPayload.empty:*", "J"), ('jsonPayload.empty:"x"', ""),
        ('jsonPayload.big="9007199254740993"', "J"), ('jsonPayload.message.deeper="x"', ""),
        # arrays: any of their elements
        ('jsonPayload.tags="green"', "J"), ('jsonPayload.tags!="green"', "J"), ("jsonPayload.steps.n=2", "J"),
        ("jsonPayload.steps.n>2", ""), ('jsonPayload.tags=~"^G"', "J"),
        # several values
        ('resource.labels.job_name=("backfill" OR "other")', "J"), ('jsonPayload.tags=("red" AND "green")', "J"),
        ('textPayload:("heartbeat" AND NOT "denied")', ""), ('textPayload:("heartbeat" NOT "granted")', "T"),
        ('textPayload:("heartbeat" "failed")', "T"),
        # severities are in order
        ("severity>=WARNING", "T"), ('severity<"warning"', "J"), ("severity=INFO", "J"), ("severity!=ERROR", "TJ"),
        ("severity=(INFO OR WARNING)", "TJ"), ("severity:*", "TJ"),
        # times are exact to the nanosecond
        ('timestamp="2026-02-01T12:00:00.123456Z"', "TJ"), ('timestamp>="2026-02-01T12:00:00.123456001Z"', ""),
        ('timestamp<="2026-02-01T07:00:00.123456-05:00"', "TJ"), ('timestamp>"2026-02-01t12:00:00z"', "TJ"),
        ('receiveTimestamp<"2026-02-01T12:00:00Z"', ""), ("timestamp:*", "TJ"),
        # regular expressions: anywhere, with their case
        ('textPayload=~"FAILED"', "T"), ('textPayload=~"failed"', ""), ('textPayload=~"(?i)failed"', "T"),
        ('textPayload!~"failed"', "TJ"), ('textPayload=~"denied$"', ""), ('textPayload=~"(?m)denied$"', "T"),
        (r'textPayload=~"denied\\n\\z"', "T"), (r'textPayload=~"\\bper\\w+\\s[a-e]"', "T"),
        (r'textPayload=~"\\x{46}AILED"', "T"), ('textPayload=~"(?P<what>FAI|X)LED"', "T"),
        ('textPayload=~"(?<what>FAI|X)LED"', "T"), ('textPayload=~("^X" OR "^Heart")', "T"),
        (r'textPayload=~"[[F\\]]A"', "T"), (r'textPayload=~"[\\x{46}]AI"', "T"),
        (r'textPayload=~"[&&F--\\s]AI"', "T"),
        ('jsonPayload.minutes=~"12"', ""),
        # search terms, anywhere in an entry
        ('"permission denied"', "T"), ("STILL", "J"), ("backfill", "J"), ("dotted", "J"), ("WARNING", "T"), ("12", "J"),
        ("cloud_run", "TJ"), ("nowhere", ""), ("and", ""), ('"and"', ""), ("Key", ""), ("1769947200", ""),
        # AND, OR, NOT: upper case only; OR before AND; nothing is AND
        ("severity=INFO OR severity=WARNING", "TJ"), ("severity=INFO severity=WARNING", ""),
        ("severity=INFO AND severity=WARNING", ""), ("severity=INFO or severity=WARNING", ""),
        ("heartbeat OR nowhere AND nowhere", ""), ("nowhere AND nowhere OR heartbeat", ""),
        ("nowhere nowhere OR heartbeat", ""), ("heartbeat OR still AND denied OR running", "TJ"),
        ("(nowhere AND nowhere) OR heartbeat", "T"), ("NOT heartbeat OR denied", "TJ"), ("NOT (heartbeat OR x)", ""),
        ("NOT NOT heartbeat", "T"), ("-heartbeat", "J"), ("-(heartbeat OR still)", ""), ("cloud_run -heartbeat", "J"),
        ("NOT(heartbeat)", "J"), ("(severity=INFO)AND(still)", "J"),
    ],
    ids=str,
)  # fmt: skip
def test_a_filter_matches_what_google_says_that_it_matches(text: str, expected: str):
    assert matching(text) == expected


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("severity=", "line 1, column 10, the end"), ("severity=INFO AND", "line 1, column 18, the end"),
        ("AND severity=INFO", "line 1, column 1, token 'AND'"), ("a OR OR b", "line 1, column 6, token 'OR'"),
        ("insertId = abc:def", "line 1, column 15, token ':'"), ('textPayload="open', "line 1, column 13, token '\"'"),
        ("(severity=INFO", "line 1, column 15, the end"), ("severity=INFO)", "line 1, column 14, token ')'"),
        ("severity=INFO\n  AND ?", "line 2, column 7, token '?'"), ("trace = b = c", "line 1, column 11, token '='"),
        ('"textPayload"="x"', "line 1, column 14, token '='"), ("textPayload='x'", "line 1, column 13, token \"'\""),
        (r'textPayload="\d"', r"line 1, column 14, token '\\d'"), ("()", "line 1, column 2, token ')'"),
        (r'textPayload="\ud800"', r"line 1, column 14, token '\\ud800'"), ("NOT", "line 1, column 4, the end"),
        ('textPayload="a""b"', "line 1, column 16, token 'b'"), ("textPayload:*x", "line 1, column 14, token 'x'"),
        ("textPayload=*", "line 1, column 13, token '*'"), ('labels."a"', "line 1, column 8, token 'a'"),
        ('soundex("x")', "line 1, column 1, token 'soundex'"), ("jsonPayload.a=- 5", "line 1, column 17, token '5'"),
    ],
    ids=str,
)  # fmt: skip
def test_a_filter_that_is_none_is_refused_with_the_place_where_it_goes_wrong(text: str, where: str):
    error = refused(text)
    assert error.status == "INVALID_ARGUMENT"
    assert error.message.endswith(where)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("thud=1", "Field not found: 'thud'"), ("textPayload.thud=1", "Field not found: 'textPayload.thud'"),
        ("operation.thud:*", "Field not found"), ("labels.a.b=1", "needs quotes"), ("labels.a-b=1", "needs quotes"),
        ('jsonPayload.0="x"', "needs quotes"), ("severity>=LOUD", "'LOUD' is no severity"),
        ("severity>=400", "'400' is no severity"), ('timestamp>"2026-02-01"', "no time of RFC 3339"),
        ('timestamp>"2026-02-30T00:00:00Z"', "no time of RFC 3339"), ('timestamp>"2026-02-01T12:00:00"', "RFC 3339"),
        ("textPayload=~FAILED", "needs double quotes"), ('textPayload=~"("', "regular expression"),
        ('textPayload=~"(?=a)"', "no syntax of RE2"), ('textPayload=~"(?<!a)b"', "no syntax of RE2"),
        (r'textPayload=~"(a)\\1"', "no syntax of RE2"), ('textPayload=~"a++"', "no syntax of RE2"),
        (r'textPayload=~"\\x{110000}"', "no character"), ('textPayload=~"[["', "no syntax of RE2"),
        ("(" * 60 + "a" + ")" * 60, "too many parentheses"),
        ("a" * 20_001, "longer than 20000 characters"),
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_a_filter_that_can_match_nothing_by_mistake_is_refused(text: str, what: str):
    error = refused(text)
    assert error.status == "INVALID_ARGUMENT"
    assert what in error.message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('log_id("run.googleapis.com/stdout")', "the function log_id"), ('SEARCH("x")', "the function SEARCH"),
        ("sample(insertId, 0.1)", "the function sample"), ('protoPayload.methodName="x"', "protoPayload.methodName"),
        ('httpRequest.latency>"1s"', "httpRequest.latency"), ('labels="x"', "the operator = for all of labels"),
        ("resource:x", "the operator : for all of resource"), ('jsonPayload="x"', "for all of jsonPayload"),
        ("severity:ERR", "the operator : for severity"), ('severity=~"ERR"', "the operator =~ for severity"),
        ('timestamp:"2026"', "the operator : for times"), ('textPayload=~"[[:alpha:]]"', "[:classes:]"),
        (r'textPayload=~"\\pL"', r"\pL"), (r'textPayload=~"\\Qa\\E"', r"\Q"), (r'textPayload=~"[\\pL]"', r"\p"),
        ('textPayload=~"a(?i)b"', "(?i)"),
        ('textPayload=~"(?U)a"', "(?U)"), ('textPayload=~"a{,3}"', "{,3}"), ("jsonPayload.minutes=(-5 OR 3)", "-"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_implemented_is_refused_by_name(text: str, what: str):
    error = refused(text)
    assert error.status == "UNIMPLEMENTED"
    assert what in error.message


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


HOSTILE = [
    '"', "\\", '\\"', '" OR "', '") OR ("', '"\nOR severity>=DEFAULT', "-- all", "AND", "NOT", "*", "NULL_VALUE", "%",
    "a\nb", "a\x00b", "\\n", "\\u0041", "(?i)", 'x" -- ', "İ", "ß", "ΑΣ", "",
]  # fmt: skip
ANY_TEXT = st.text(max_size=40) | st.sampled_from(HOSTILE) | st.text('"\\() \n-ORANDT:*=', max_size=12)


def entry(text: str) -> LogEntry:
    return LogEntry(text_payload=text, labels={"key": text})


@given(ANY_TEXT)
def test_a_quoted_text_matches_itself(text: str):
    for filter_ in ("textPayload={}", "textPayload:{}", "{}", "NOT textPayload!={}", "labels.key=({} OR {})"):
        assert read_filter(filter_.replace("{}", quoted(text)))(entry(text))


@given(ANY_TEXT, ANY_TEXT)
def test_a_quoted_text_equals_no_other(text: str, other: str):
    same = text.casefold() == other.casefold()
    assert read_filter(f"textPayload={quoted(text)}")(entry(other)) == same
    assert read_filter(f"NOT labels.key={quoted(text)}")(entry(other)) != same
    assert read_filter(f"textPayload:{quoted(text)}")(entry(other)) == (text.casefold() in other.casefold())


@given(ANY_TEXT)
def test_a_quoted_key_finds_the_label_of_that_name(key: str):
    labelled = LogEntry(labels={key: "value"})
    assert read_filter(f'labels.{quoted(key)}="value"')(labelled)
    assert not read_filter(f'labels.{quoted(key + "x")}="value"')(labelled)


def outcome(text: str) -> bool | str:
    try:
        return read_filter(text)(TEXT)
    except RefusedError as error:
        return error.status


OUTCOMES = {True, False, "INVALID_ARGUMENT", "UNIMPLEMENTED"}


@given(st.text(max_size=60) | st.text('aAND OR()"\\:*=~!<>-.\n', max_size=40))
def test_any_text_is_read_or_refused(text: str):
    assert outcome(text) in OUTCOMES


@given(st.text("ab[]()^$\\{},:?PimsUQpzxwd123|*+.-<>=!&~\n", max_size=24))
def test_any_regular_expression_is_read_or_refused(pattern: str):
    assert outcome(f"textPayload=~{quoted(pattern)}") in OUTCOMES


def test_escapes_in_quotes_mean_characters():
    assert read_filter(r'textPayload="\t\n\x41\u00e9\U0001F600\101\"\\"')(entry('\t\nA\u00e9\U0001f600A"\\'))
