"""What a program's own words in a log line tell: whether something failed, and whether a heartbeat of ours did.

A line is written by hand, so this reads English. Brokers, workers and sockets have heartbeats of their own; "0 errors"
tells of success; and what stands in a URL, a request or quotation marks is somebody else's text.
"""

import re
from typing import Final

_HALF: Final = 2_048
"""Characters of the beginning, and of the end, that are read."""

_REQUEST: Final = re.compile(r"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) +(?:/|\*|https?:).*", re.DOTALL)
_QUOTED: Final = re.compile(
    r"\"(?:[^\"\\\n]|\\.){0,500}\"|(?<!\w)'[^'\n]{0,500}'(?!\w)|`[^`\n]{0,500}`|“[^”\n]{0,500}”|«[^»\n]{0,500}»"
)
_FRAME: Final = re.compile(r"^(\s*File )\"([^\"\n]{1,300})\"(?=, line \d)", re.MULTILINE)
"""A line of a traceback: the path is the program's own, though it stands in quotation marks."""

_ADDRESS: Final = re.compile(r"://|[?&][\w.%-]{1,60}=|%[0-9A-Fa-f]{2}")

_BAD: Final = r"(?:errors?|fail(?:ed|ures?|s|ing)?|exceptions?|timeouts?|misses|missed)"
_ZERO: Final = r"(?:0+(?:\.0+)?%?(?![\w.])|none\b|null\b|nil\b|false\b|\[?\])"
_NONE_BAD: Final = re.compile(
    r"(?<![\w.])(?:0|no|zero|without(?: any)?|never)"
    rf"(?: (?!(?:heartbeats? )?(?:written|module))[\w-]{{1,30}}){{0,3}}? {_BAD}\b"
    rf"|\b(?:[\w-]{{1,30}}_)?{_BAD}(?:[ _-][\w-]{{1,30}}){{0,4}}? ?[:=] ?[\"'(\[]?{_ZERO}"
    rf"|\b{_BAD} 0(?: times)?(?![\w.])"
    r"|\berror[- ]free\b|\bfail[- ]?(?:over|safe|fast)\b|\bnot failed\b"
    r"|\btime-?outs?(?: ?[:=] ?| )\d[\w.]{0,12}|\bon[_-](?:error|failure|exception|timeout)\b"
    r"|\b(?:error|failure)[ _-](?:thresholds?|handl\w+|budgets?|limits?|callbacks?)\b",
    re.IGNORECASE,
)
_FAILING: Final = re.compile(
    r"permission[_ ]denied|denied\b|not written|not (?:be )?(?:saved|updated|stored|sent|persisted)"
    r"|(?<![^\W_])fail(?:ed|ure|ures|s|ing)?(?![^\W_])|error\b|errors\b|exception\b|\bexceptions\.[A-Z]\w"
    r"|\bcould ?n[o']t\b|\bcannot\b|\bcan't\b|\bunable\b"
    r"|\btimed out\b|time-?out\b|unavailable\b|exceeded\b|\brefused\b|\brejected\b|exhausted\b",
    re.IGNORECASE,
)
_OVER: Final = re.compile(
    r"\b(?:written|works?|working|succeeded|recovered|restored|resumed)"
    r" (?:again|now|after|(?:on|at|in) (?:the )?(?:\w+ )?(?:attempt|try|retry))\b",
    re.IGNORECASE,
)
_NOT_OVER: Final = re.compile(
    r"\b(?:not|never|no|n't|unable|unsuccessful\w*)(?: \w+){0,2}?"
    r" (?:written|work\w*|succe\w+|recover\w*|restored|resumed|ok|healthy)\b",
    re.IGNORECASE,
)
_WELL: Final = re.compile(
    r"\bheartbeats?\b.{0,100}?\b(?:written|ok|okay|sent|updated|saved|stored|recorded|recovered|works|working|healthy)\b"
    r"|\b(?:wrote|updated|saved|stored|recorded)\b.{0,30}\bheartbeats?\b",
    re.IGNORECASE,
)
_OURS: Final = re.compile(r"processor_?heartbeats?|heartbeat_?writer", re.IGNORECASE)
_WRITE: Final = r"(?:writ|updat|sav|persist|record|upsert|import)\w*|stor(?:e|es|ed|ing)"
_WRITING: Final = re.compile(
    rf"\b(?:{_WRITE}|set(?:ting)?|creat\w*)\b.{{0,60}}\bheartbeats?|\bheartbeats?\b.{{0,60}}\b(?:un)?(?:{_WRITE})",
    re.IGNORECASE,
)
_PLAINLY: Final = re.compile(
    r"\b(?:could ?n[o']t|cannot|can't|unable to|fail(?:ed|s|ure)?(?: to| in)?|errors?(?: while| when)?)"
    r" (?:writ|sav|persist|stor)(?:e|ing)"
    r"(?: [\w.]+){0,3}? (?:processor_?)?heartbeats?\b"
    r"|\bheartbeats?(?: (?:of|for) \S{1,200})?"
    r" (?:was |were |is |are |could |can )?not (?:be )?(?:written|saved|stored)\b",
    re.IGNORECASE,
)
"""Words that say of a heartbeat that it is not written, whatever else is named behind them."""

_SYSTEMS: Final = (
    *("kafka", r"\bpika\b", "amqp", "rabbit", "celery", "kombu", "redis", "zookeeper", r"\bzk\b", "airflow"),
    *("scheduler_?job", "web-?socket", r"engine\.?io", r"socket\.?io", r"consul\b", r"\bray\b", "raylet", r"\bdask\b"),
    *(r"distributed\.", r"\bnats\b", r"\bmqtt\b", r"\betcd\b", r"\braft\b", "pulsar", r"\bspark\b", "hadoop"),
    *(r"\byarn\b", "hdfs", "flink", r"temporal\b", "temporalio", "prefect", "dagster", "cassandra", "elastic"),
    *("opensearch", "mongo", "mysql", "postgres", "replicat", "discord", "slack", "kube", r"\bnode_?manager", "eureka"),
    *("nacos", "hazelcast", "ignite", "akka", "erlang", "stomp", r"\bsse\b", r"grpc\.?keepalive", "tensorflow"),
    *("torch", "horovod", "jupyter", "ipykernel", "zmq", "selenium", "playwright", "puppeteer", "sidekiq", "resque"),
    *("bullmq", r"\brq\b", "dramatiq", "huey", "faust", "nomad"),
)
_SYSTEM: Final = re.compile("|".join(_SYSTEMS), re.IGNORECASE)
_OTHERS: Final = re.compile(
    r"\bmissed\b|too many .{0,20}missed|coordinator|\bbrokers?\b|consumers?\b|\bsessions?\b|\bworkers?\b|\bpeers?\b"
    r"|\bleaders?\b|followers?\b|\bclusters?\b|\bgateway\b|\bsockets?\b|\bping\b|\bpong\b|\bmember(?:s|_id)?\b|rebalanc\w*"
    r"|\bnodes?\b|\bchannels?\b|\bagents?\b|\bshards?\b|\bkeep-?alive\b"
    r"|\bscheduler\b|\bupstream\b|heartbeater|re-?join\w*|streaming pull|visibility timeout|\bStates\.|task_?heartbeat"
    r"|\b(?:Data|Name)Node\b|\b(?:Task|Job|Resource)Manager\b",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """The beginning and the end of a text, without requests, addresses and quotations."""
    if len(text) > 2 * _HALF:
        text = text[:_HALF] + "\n" + text[-_HALF:]
    if "File " in text:
        text = _FRAME.sub(r"\1\2", text)
    words = _QUOTED.sub(" ", _REQUEST.sub(" ", text)).split()
    if _ADDRESS.search(text):
        words = [word for word in words if not _ADDRESS.search(word)]
    return " ".join(words)


def tell_of_failure(own: str) -> bool:
    """Whether a program's own words say that something failed, and not that it works again."""
    words = _NONE_BAD.sub(" ", own)
    return bool(_FAILING.search(words)) and (not _OVER.search(words) or bool(_NOT_OVER.search(words)))


def tell_of_success(own: str) -> bool:
    """Whether they say that a heartbeat was written."""
    words = _NONE_BAD.sub(" ", own)
    if "heartbeat" not in words.casefold() or _NOT_OVER.search(words):
        return False
    return bool(_OVER.search(words) or (_WELL.search(words) and not _FAILING.search(words)))


def are_about_ours(own: str, written_by: str, collection: str) -> bool:
    """Whether they are about a processor's heartbeat, or about Firestore.

    Args:
        own: a program's own words.
        written_by: what else says who wrote them: a logger's name, what a formatter wrote before them.
        collection: where heartbeats are written.
    """
    lower = own.casefold()
    if collection.casefold() in lower or _OURS.search(own):
        return True
    if "heartbeat" not in lower:
        return "firestore" in lower
    if is_of_another_system(written_by):
        return False
    plainly = _PLAINLY.search(own)
    if is_of_another_system(own[: plainly.start()] if plainly else own):
        return False
    return bool(_WRITING.search(own)) or not _OTHERS.search(own)


def is_of_another_system(text: str) -> bool:
    """Whether a text names a system that has heartbeats of its own."""
    return bool(_SYSTEM.search(text))
