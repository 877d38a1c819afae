"""A Messages API on loopback that follows a script: each call is answered by the next turn, and kept for a look."""

import json
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

MODEL: Final = "claude-sonnet-4-5"


@dataclass(frozen=True)
class Say:
    """A turn that ends with words."""

    text: str
    stop: str = "end_turn"


@dataclass(frozen=True)
class Use:
    """A turn that calls a tool: the first that is offered whose name ends so."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Both:
    """A turn that calls several tools at once."""

    calls: tuple[Use, ...]


@dataclass(frozen=True)
class Fail:
    """An answer that is an error, with its kind and words, and after how many seconds one may try again."""

    status: int
    kind: str = "api_error"
    text: str = "no"
    retry_after: str | None = None


@dataclass(frozen=True)
class Raw:
    """A stream of these bytes; ``cut`` promises more, and breaks off."""

    body: str
    cut: bool = False


Turn = Say | Use | Both | Fail | Raw
Request = dict[str, Any]
Step = Turn | Callable[[Request], Turn]
"""A turn, or what makes one of the request that it answers."""

Tokens = dict[str, int]
USAGE: Final[Tokens] = {
    "input_tokens": 10,
    "output_tokens": 10,
    "cache_read_input_tokens": 0,
    "cache_creation_input_tokens": 0,
}


@dataclass
class Script:
    """The turns that are left, and every request that came. Requests without our tools are not part of the talk."""

    turns: list[Step]
    requests: list[Request] = field(default_factory=list[Request])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    url: str = ""
    usage: Tokens = field(default_factory=lambda: dict(USAGE))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request, headers: dict[str, str]) -> tuple[list[dict[str, Any]], str] | Fail | Raw:
        """The content of the next answer and why it stops, or the error."""
        tools = [tool["name"] for tool in request.get("tools", [])]
        with self._lock:
            if not any(name.endswith("check_heartbeats") for name in tools):
                return [{"type": "text", "text": "{}"}], "end_turn"
            self.requests.append(request)
            self.headers.append(headers)
            step = self.turns.pop(0) if self.turns else Say("The script is at its end.")
        turn = step(request) if callable(step) else step
        if isinstance(turn, Fail | Raw):
            return turn
        if isinstance(turn, Say):
            return [{"type": "text", "text": turn.text}], turn.stop
        calls = turn.calls if isinstance(turn, Both) else (turn,)
        return [self._call(each, at, tools) for at, each in enumerate(calls)], "tool_use"

    def _call(self, use: Use, at: int, tools: list[str]) -> dict[str, Any]:
        name = next((name for name in tools if name.endswith(use.tool)), use.tool)
        return {"type": "tool_use", "id": f"toolu_{len(self.requests):04}{at}", "name": name, "input": use.arguments}


def results(request: Request) -> list[dict[str, Any]]:
    """What the tools answered before a request, the last first."""
    blocks = [
        block
        for message in reversed(request["messages"])
        if isinstance(message["content"], list)
        for block in reversed(message["content"])
    ]
    return [block for block in blocks if block.get("type") == "tool_result"]


def told(request: Request) -> dict[str, Any]:
    """What the last tool answered, as JSON."""
    content = results(request)[0]["content"]
    return dict(json.loads(content if isinstance(content, str) else content[0]["text"]))


@contextmanager
def scripted(turns: Sequence[Step]) -> Generator[Script]:
    """Serve a script on a free port."""
    script = Script(list(turns))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if "count_tokens" in self.path:
                self._send("application/json", json.dumps({"input_tokens": 1}))
                return
            turn = script.answer(request, {name.lower(): value for name, value in self.headers.items()})
            kind, text = _answer(turn, script.usage, stream=bool(request.get("stream")))
            self.close_connection = isinstance(turn, Raw) and turn.cut
            self._send(kind, text, turn if isinstance(turn, Fail) else None, more=100 if self.close_connection else 0)

        def do_HEAD(self) -> None:
            self._send("application/json", "")

        def do_GET(self) -> None:
            self._send("application/json", json.dumps({"data": []}))

        def _send(self, kind: str, text: str, fail: Fail | None = None, more: int = 0) -> None:
            body = text.encode()
            self.send_response(fail.status if fail else 200)
            if fail and fail.retry_after:
                self.send_header("retry-after", fail.retry_after)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body) + more))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(turn: tuple[list[dict[str, Any]], str] | Fail | Raw, usage: Tokens, *, stream: bool) -> tuple[str, str]:
    """The type and the text of an answer."""
    if isinstance(turn, Fail):
        error = {"type": "error", "error": {"type": turn.kind, "message": turn.text}}
        return "application/json", json.dumps(error)
    if isinstance(turn, Raw):
        return "text/event-stream", turn.body
    message = _message(*turn, usage)
    return ("text/event-stream", _events(message)) if stream else ("application/json", json.dumps(message))


def _message(content: list[dict[str, Any]], stop: str, usage: Tokens) -> dict[str, Any]:
    return {
        "id": "msg_0001",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def _events(whole: dict[str, Any]) -> str:
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}]
    for index, block in enumerate(whole["content"]):
        if block["type"] == "text":
            start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            start = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        events += [
            {"type": "content_block_start", "index": index, "content_block": start},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    usage = {"output_tokens": whole["usage"]["output_tokens"]}
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events += [{"type": "message_delta", "delta": end, "usage": usage}, {"type": "message_stop"}]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
