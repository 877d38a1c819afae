import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.sources.logging.lines import LogLine
from checks.sources.logging.messages.heads import head_before, head_of, plain
from checks.sources.logging.operations import fold_operations
from checks.sources.logging.runs import fold_runs

MINUTE = 60_000_000
MARKER = "Processor run completed: "
FORMATTERS = [
    "",
    "INFO ",
    "\U0001f493 ",
    "--> ",
    "[7] ",
    "<6>",
    "INFO: ",
    "INFO:     ",
    "INFO\t",
    "INFO | ",
    "INFO - ",
    "INFO root ",
    "root INFO ",
    "[loader] ",
    "INFO [req-ab12] ",
    "2026-11-29 11:00:00,123 [Thread-3 (_run)] INFO heartbeat.operation ",
    "Nov 29 11:00:00 ip-10-0-0-1 loader[123]: ",
    "<14>1 2026-11-29T11:00:00Z web-1 loader 123 - - ",
    "INFO:root:",
    "INFO:heartbeat.operation:",
    "heartbeat.operation: ",
    "root - INFO - ",
    "11:00:00 ",
    "2026/11/29 11:00:00 ",
    "29/Nov/2026 11:00:00 INFO ",
    "1764414000.123 INFO ",
    "2026-11-29T11:00:00Z INFO ",
    "2026-11-29 11:00:00 +0000 UTC INFO ",
    "2026-11-29 11:00:00,123 INFO heartbeat.operation: ",
    "2026-11-29 11:00:00,123 - nba_scraper - INFO - ",
    "2026-11-29 11:00:00 [INFO] heartbeat.operation: ",
    "2026-11-29 11:00:00 [info     ] ",
    "2026-11-29 11:00:00.123 | INFO     | heartbeat.operation:_say:66 - ",
    "2026-11-29 11:00:00.123  INFO 7 --- [main] c.e.Operation : ",
    "INFO  [main] com.acme.Operation - ",
    "11:00:00.123 [main] INFO  c.acme.Operation - ",
    "[2026-11-29 11:00:00 +0000] [7] [INFO] ",
    "[2026-11-29 11:00:00,123: INFO/MainProcess] ",
    "[2026-11-29 11:00:00] INFO in operation: ",
    "[INFO] 2026-11-29 11:00:00 heartbeat.operation - ",
    "[I 2026-11-29 11:00:00,123 operation:66] ",
    "I, [2026-11-29T11:00:00.123456 #7]  INFO -- : ",
    "I1129 11:00:00.123456     7 operation.py:66] ",
    "INFO 2026-11-29 11:00:00,123 operation 7 139 ",
    "Nov 29 11:00:00 myhost loader[7]: INFO ",
    "thread-1 INFO ",
    "MainThread INFO ",
    "[thread-1] ",
    "operation.py:66 INFO ",
    "level=info ts=2026-11-29T11:00:00Z ",
    "\x1b[32mINFO\x1b[0m:     ",
]
STRANGERS = [
    "GET /x INFO ",
    "GET /search?q=",
    "GET INFO ",
    "/x INFO ",
    'unexpected page title "',
    'WARNING unexpected page title "',
    "query: ",
    "INFO query: ",
    "2026-11-29 11:00:00 INFO query: ",
    "user said ",
    "INFO user said ",
    "INFO page title: ",
    "title INFO ",
    "search INFO ",
    "404 ",
    "status 200 INFO ",
    "User-Agent: ",
    "INFO User-Agent: ",
    "header X-Note: INFO ",
    "https://www.example.com/?q=",
    "www.example.com ",
    'body={"message": "',
    'POST /x {"message": "',
    "received ",
    "x ",
    "'",
    "`",
    "?",
    "%20",
    "a=b ",
    "INFO q=",
    "[title of a page] ",
    "(query) ",
    '10.0.0.1 - - [29/Nov/2026:11:00:00 +0000] "GET /',
    "first line\n",
    "first line\r",
    "first line\u2028",
    "> ",
    ">> ",
    "| ",
]


def line(text: str, minutes: float = 60) -> LogLine:
    return LogLine(int(-minutes * MINUTE), "loader", "loader-00001", 0, text)


STUCK = line("HEARTBEAT START: Loading games")


@pytest.mark.parametrize("written", FORMATTERS)
def test_what_a_formatter_writes_may_stand_before_a_message(written: str) -> None:
    text = plain(f"{written}HEARTBEAT END: Loading games completed in 5.0 min")

    assert head_before(text, text.find("HEARTBEAT")) is not None
    ended = line(f"{written}HEARTBEAT END: Loading games completed in 5.0 min", 55)
    assert [
        each.ended for each in fold_operations([line(f"{written}HEARTBEAT START: Loading games"), ended], -(10**12))
    ] == [True]
    assert [each.processor for each in fold_runs([line(f"{written}{MARKER}A")], MARKER)] == ["A"]


@pytest.mark.parametrize("written", STRANGERS)
def test_other_words_before_a_message_are_a_strangers(written: str) -> None:
    ended = line(f"{written}HEARTBEAT END: Loading games completed in 5.0 min", 55)

    assert [each.ended for each in fold_operations([STUCK, ended], -(10**12))] == [False]
    assert fold_runs([line(f"{written}{MARKER}A")], MARKER) == ()


@pytest.mark.parametrize("written", ["[Bob] ", "[user42] ", "<Bob> ", "INFO [Bob] ", "[Bob Miller] "])
def test_a_name_in_brackets_ends_only_what_it_began(written: str) -> None:
    """A formatter writes its name before every line, and so before the START too."""
    started, end = line(f"{written}HEARTBEAT START: Loading games"), "HEARTBEAT END: Loading games completed in 5.0 min"

    assert [each.ended for each in fold_operations([STUCK, line(f"{written}{end}", 55)], -(10**12))] == [False]
    assert [each.ended for each in fold_operations([started, line(f"{written}{end}", 55)], -(10**12))] == [True]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
CARRIERS = st.sampled_from(
    [
        "GET /search?q={} 200",
        "GET /{} HTTP/1.1",
        "https://example.com/?q={}",
        'title "{}"',
        "WARNING page title '{}'",
        '2026-11-29 11:00:00,123 WARNING web.app: unexpected page title "{}"',
        "2026-11-29 11:00:00,123 INFO web.app: asked for /?q={}",
        "fetched a page\n{}",
        "INFO:web.app:fetched\n{}",
        '"{}"',
        "`{}`",
        "({})",
        'INFO web.app: body={{"message": "{}"}}',
    ]
)


@given(carrier=CARRIERS, before=TEXT, after=TEXT)
def test_no_text_in_a_url_in_quotes_or_on_a_second_line_closes_an_operation_or_makes_a_run(
    carrier: str, before: str, after: str
) -> None:
    for words in ("HEARTBEAT END: Loading games completed in 5.0 min", f"{MARKER}A status=success"):
        told = line(carrier.format(f"{before}{words}{after}"), 55)

        assert [each.ended for each in fold_operations([STUCK, told], -(10**12))] == [False]
        assert fold_runs([told], MARKER) == ()


@given(text=TEXT)
def test_no_line_is_too_odd_to_be_read(text: str) -> None:
    head = head_of(text)

    assert 0 <= head.end <= len(text)


@pytest.mark.parametrize("unit", ["INFO ", "[a ", "a.", "a-", "1:", "\x1b[", "( ", "x=y ", "2026-11-29 ", "- "])
async def test_a_hostile_beginning_costs_no_time(unit: str) -> None:
    started = asyncio.get_running_loop().time()

    for number in range(200):
        text = f"{number}{unit * 4_000}HEARTBEAT END: Loading games completed in 5.0 min"
        fold_operations([line(text[:16_000])], 0)
        head_of(text)

    assert timedelta(seconds=asyncio.get_running_loop().time() - started) < timedelta(seconds=3)
