"""A Messages API on loopback that follows a script: each call is answered by the next turn, and kept for a look."""

import json
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

MODEL: Final = "claude-sonnet-4-5"


@dataclass(frozen=True)
class Say:
    """A turn that ends with words."""

    text: str


@dataclass(frozen=True)
class Use:
    """A turn that calls a tool: the first that is offered whose name ends so."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


Turn = Say | Use


@dataclass
class Script:
    """The turns that are left, and every request that came. Requests without tools are not part of the talk."""

    turns: list[Turn]
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """The content of the next answer."""
        tools = [tool["name"] for tool in request.get("tools", [])]
        with self._lock:
            if not any("validate-daily" in name for name in tools):
                return [{"type": "text", "text": "{}"}]
            self.requests.append(request)
            turn = self.turns.pop(0) if self.turns else Say("The script is at its end.")
        if isinstance(turn, Say):
            return [{"type": "text", "text": turn.text}]
        name = next(name for name in tools if name.endswith(turn.tool))
        return [{"type": "tool_use", "id": f"toolu_{len(self.requests):04}", "name": name, "input": turn.arguments}]


@contextmanager
def scripted(turns: Sequence[Turn]) -> Generator[Script]:
    """Serve a script on a free port."""
    script = Script(list(turns))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if "count_tokens" in self.path:
                self._send("application/json", json.dumps({"input_tokens": 1}))
            elif request.get("stream"):
                self._send("text/event-stream", _events(script.answer(request)))
            else:
                self._send("application/json", json.dumps(_message(script.answer(request))))

        def do_HEAD(self) -> None:
            self._send("application/json", "")

        def do_GET(self) -> None:
            self._send("application/json", json.dumps({"data": []}))

        def _send(self, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
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


def _message(content: list[dict[str, Any]]) -> dict[str, Any]:
    stop = "tool_use" if content[-1]["type"] == "tool_use" else "end_turn"
    usage = {"input_tokens": 10, "output_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
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


def _events(content: list[dict[str, Any]]) -> str:
    whole = _message(content)
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}]
    for index, block in enumerate(content):
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
    usage = {"output_tokens": 10}
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events += [{"type": "message_delta", "delta": end, "usage": usage}, {"type": "message_stop"}]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
