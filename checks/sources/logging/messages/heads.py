"""Reads where a program's own message begins in a printed line, behind what a log formatter puts before it.

Formatters write a time, a level, a logger's name, process and thread names, a place in the code, brackets and colours.
Anything else before the message belongs to somebody else's text: a URL, a header, a quotation, a page's title. So words
that steer a verdict count only where nothing but a formatter's words stand before them, on the first line.
Every pattern is bounded, and no line is looked at beyond its first few hundred characters.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

LONGEST: Final = 400
"""Characters that a formatter may write before a message."""

_COLOURS: Final = re.compile(r"\x1b(?:\[[0-?]{0,40}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_])")
_LINE_END: Final = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")

_DATE: Final = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[/.](?:\d{1,2}|[A-Z][a-z]{2})[/.]\d{2,4}"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\ )?"
    r"(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\ {1,2}\d{1,2}"
    r"|\d{1,2}[ -](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))(?:[, -]{1,2}\d{4})?)"
)
_CLOCK: Final = (
    r"\d{1,2}:\d{2}(?:[:.]\d{2})?(?:[.,:]\d{1,9})?"
    r"(?:\ ?(?:Z|UTC|GMT|[AP]M|[+-]\d{2}:?\d{2}))?(?:\ \d{4}(?![-\d]))?"
)
_TIME: Final = rf"(?:{_DATE}(?:[T ,:]{{1,2}}{_CLOCK})?|{_CLOCK}|\d{{8}}T\d{{6}}Z?|1\d{{9}}(?:\.\d{{1,9}})?)"
_LEVEL: Final = (
    r"(?i:TRACE|DEBUG|DBG|INFO|INFORMATION(?:AL)?|INF|NOTICE|SUCCESS|WARN|WARNING|WRN|ERROR|ERR|CRITICAL|CRIT|FATAL"
    r"|SEVERE|ALERT|EMERGENCY|EMERG|DEFAULT|FINE|CONFIG)"
)
_THREAD: Final = (
    r"(?:(?i:main)?(?i:thread)(?:[-_#][\w-]{1,40})?(?:\ \(\w{1,60}\))?|MainProcess"
    r"|(?:Spawn|Fork)?(?:Pool)?(?:Process|Worker)-[\w:-]{1,20}"
    r"|ThreadPoolExecutor-\w{1,20}|AnyIO\ worker\ thread|asyncio_\d+|heartbeat-operation"
    r"|[\w-]{0,30}(?:exec|pool|thread|worker)-\d[\w-]{0,20})"
)
_PLACE: Final = (
    r"(?:[\w./\\<>$-]{1,120}\.(?:py|java|kt|go|js|ts|rb|scala|cc|cpp|rs)(?::\d{1,6}){1,2}(?::[\w<>]{1,60})?"
    r"|[\w.<>$]{1,120}:[\w.<>$]{1,80}:\d{1,6})"
)
_KEYS: Final = (
    r"(?:time|ts|timestamp|level|lvl|severity|logger|logger_name|loggerName|thread|thread_name|threadName|process|"
    r"processName|pid|module|func|func_name|function|lineno|line|file|filename|caller|taskName|trace|trace_id|span|"
    r"span_id|operation_id|name)"
)
_VALUE: Final = r'(?:"[^"\\\r\n]{0,120}"|[^\s"=]{1,120})'
_INSIDE: Final = (
    rf"(?:{_TIME}|{_LEVEL}|{_PLACE}|{_THREAD}|(?i:pid|thread|process)[ :=#]\d{{1,10}}|[\w.:/@+*#$-]{{1,60}})"
)
_BRACKETS: Final = (
    rf"(?:\[\s*{_INSIDE}(?:[ ,|:/]\s*{_INSIDE}){{0,2}}\s*\]|\(\s*{_INSIDE}\s*\)"
    rf"|<\s*{_INSIDE}\s*>1?|\{{\s*{_INSIDE}\s*\}})"
)
_SYSLOG: Final = (
    rf"<\d{{1,3}}>1\ {_TIME}\ [\w.-]{{1,60}}\ [\w.-]{{1,48}}\ [\w-]{{1,48}}\ [\w-]{{1,32}}\ "
    r"(?:-|\[[^\]\r\n]{0,120}\])"
)
_TOKEN: Final = re.compile(
    rf"""
      (?P<glog>[IWEFD]\d{{4}}\ {_CLOCK}\ {{1,8}}\d{{1,8}}\ [\w./-]{{1,80}}:\d{{1,6}}\]|{_SYSLOG})
    | (?P<time>{_TIME}(?![\w.]))
    | (?P<pair>{_KEYS}={_VALUE}(?=\s))
    | (?P<brackets>{_BRACKETS}:?)
    | (?P<level>(?:{_LEVEL}|[DIWEF](?=[\s/:|,]))(?![\w.-]),?)
    | (?P<thread>{_THREAD}(?![\w.]))
    | (?P<place>{_PLACE}(?![\w.]))
    | (?P<app>[\w.-]{{1,60}}\[\d{{1,10}}\]:?)
    | (?P<number>\#?\d{{1,10}}(?![\w.%]))
    | (?P<dotted>[A-Za-z_$][\w$]{{0,60}}(?:\.[\w$-]{{1,60}}){{1,12}}(?![\w.]))
    | (?P<flask>in\ [A-Za-z_]\w{{0,60}}(?=:))
    | (?P<name>[A-Za-z_][\w-]{{0,60}})
    | (?P<space>\s+)
    | (?P<mark>[-|:>»·•\u2014\u2013~*\#]{{1,5}}|[^\w\s"'`=?&%/\\<>(){{}}\[\]@,;!.+^$-]{{1,4}})
    """,
    re.VERBOSE | re.ASCII,
)
_MARK_BEHIND: Final = re.compile(r"\s*[-|:>»\u2014\u2013]")
_BEHIND: Final = re.compile(r"\s*[-|:>»\u2014\u2013]|\s\d")
_QUOTED_LINE: Final = re.compile(r"\s*[>|]+\s*$")
"""How mails and chats mark what somebody else wrote."""

_NO_NAME: Final = re.compile(
    rf"(?:{_TIME}|{_LEVEL}|{_PLACE}|{_THREAD})(?![\w.])|[^A-Za-z]|(?i:pid|thread|process)\b", re.VERBOSE | re.ASCII
)
"""What may stand in brackets and is no name of whoever writes the line."""

_REQUEST_ID: Final = re.compile(r"\b(?i:req|request)[-_:=][\w-]{0,40}\d[\w-]{0,40}", re.ASCII)
"""The id that a program gives to a request; a formatter writes it into every line."""

_JOINED: Final = re.compile(r":\S|\s[-|]\s")
_PLAIN: Final = frozenset({"root", "main", "__main__", "__mp_main__", "app", "default"})
_LIBRARY: Final = "heartbeat.operation"
_ONES: Final = str.maketrans("023456789", "1" * 9)
"""Formatters' words with other times and numbers are read alike, so they are read once."""

_USUAL: Final = 160
"""Characters that hold what a formatter writes, and more."""

_CLIENTS: Final = frozenset(
    re.findall(
        r"\w+",
        "get post put head delete patch options connect query q search searched title body url uri path "
        "header headers agent useragent referer referrer cookie cookies request requests req response "
        "payload input comment text content page param params arg args form subject user username email "
        "html data json got received said says asked client visitor customer message msg event quote "
        "quoted value field access host status ",
    )
)
"""Words before a colon that introduce what somebody else said; no logger is called so."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a formatter wrote before a message.

    Attributes:
        end: where the message begins.
        level: the level's name in upper case, where it is told.
        logger: the logger's name, where it is told.
        words: all of it, every digit a 1.
    """

    end: int
    level: str | None = None
    logger: str | None = None
    words: str = ""


_NOTHING: Final = Head(0)


def plain(text: str) -> str:
    """A text without a terminal's colours."""
    return _COLOURS.sub("", text) if "\x1b" in text else text


def first_line(text: str) -> str:
    """The first line; whatever a program prints behind a line break may be somebody else's."""
    found = _LINE_END.search(text)
    return text[: found.start()] if found else text


def head_before(text: str, place: int) -> Head | None:
    """What a formatter wrote before this place, if nothing else stands there; None where somebody else speaks.

    Args:
        text: one line, without colours.
        place: where a message would begin.
    """
    if not place:
        return _NOTHING
    return _scan(text[:place].translate(_ONES)) if place <= LONGEST else None


def head_of(text: str) -> Head:
    """What a formatter wrote at the beginning of a line; a word counts only where a formatter's mark follows it."""
    head = _read(text[:_USUAL].translate(_ONES))
    return head if head.end < _USUAL // 2 or len(text) <= _USUAL else _read(text[:LONGEST].translate(_ONES))


@lru_cache(maxsize=1_000)
def _read(text: str) -> Head:
    place, level, logger = 0, None, None
    while match := _TOKEN.match(text, place):
        kind = match.lastgroup
        if kind in {"dotted", "name", "number", "flask"} and not (level and _MARK_BEHIND.match(text, match.end())):
            break
        if kind == "level":
            if level or not re.match(r"\s*[\]:|>-]|\s", text[match.end() :]):
                break
            level = match[0].upper().rstrip(",")
        elif kind == "brackets":
            level = level or _level_in(match[0])
        elif kind in {"dotted", "name"}:
            if kind == "name" and (_is_clients(match[0]) or logger):
                break
            if _is_exception(match[0]):
                break
            logger = match[0]
        place = match.end()
    return Head(place, level, logger, text[:place])


@lru_cache(maxsize=1_000)
def _scan(text: str) -> Head | None:  # noqa: C901 - one ladder over the kinds of words
    end = len(text)
    place, level, logger, sure = 0, None, None, False
    names, weak = 0, 0
    while place < end:
        match = _TOKEN.match(text, place, end)
        if match is None:
            return None
        kind, word = match.lastgroup, match[0]
        if kind in {"time", "level", "glog", "pair"}:
            sure = True
        if kind == "level":
            level = word.upper().rstrip(",")
        elif kind == "brackets":
            level = level or _level_in(word)
            sure = sure or level is not None or any(each.isdigit() for each in word)
            inside = word.strip("[](){}<>: ")
            if _is_clients(_REQUEST_ID.sub("", inside)):
                return None
            logger = logger or _name_in(inside)
        elif kind == "dotted":
            weak += word != _LIBRARY
            logger = word
        elif kind in {"number", "app", "flask"}:
            if kind == "flask" and (level is None or _is_clients(word[3:])):
                return None
            weak += 1
        elif kind == "name":
            names += 1
            if not _is_name(text, match, end, first=place == 0, level=level):
                return None
            weak += 1
            logger = word
        place = match.end()
    if names > 1 + (level is not None) or (weak and not sure) or _QUOTED_LINE.match(text):
        return None
    return Head(end, level, logger, text)


def _is_name(text: str, match: re.Match[str], end: int, *, first: bool, level: str | None) -> bool:
    """Whether a plain word before a message may be the name of a logger or a host."""
    word, rest = match[0], text[match.end() : end]
    if _is_clients(word):
        return False
    if first:
        return word in _PLAIN or bool(_JOINED.match(rest + " ")) or (rest.startswith(":") and rest[1:2].strip() != "")
    return level is None or word in _PLAIN or "_" in word or bool(_BEHIND.match(rest))


def _is_clients(word: str) -> bool:
    return not _CLIENTS.isdisjoint(re.split(r"[\W_]+", word.lower()))


def _is_exception(word: str) -> bool:
    return word.endswith(("Error", "Exception", "Warning", "Timeout", "Denied", "Unavailable", "Exceeded", "Exit"))


_BARE_LEVEL: Final = re.compile(rf"[\[(<{{]\s*(?P<level>{_LEVEL})(?![\w.-])", re.ASCII)


def _name_in(inside: str) -> str | None:
    return None if _NO_NAME.match(inside) else inside


def _level_in(brackets: str) -> str | None:
    found = _BARE_LEVEL.match(brackets)
    return found["level"].upper() if found else None
