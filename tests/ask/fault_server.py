"""A server on this machine that speaks OpenAI's chat completions, and fails in every way that servers fail.

The id of a question is read from its text (`[id:...]`); the script says what happens to the n-th request of an id.
"""

import json
import random
import re
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

GOOD = '{"contacts": [], "decision": "no contact"}'
ID = re.compile(r"\[id:([\w-]+)\]")

TRANSIENT = ("429", "429-date", "500", "502", "503", "529", "reset", "cut", "html", "no-choices", "hang", "drip")
"""Faults after which the same request succeeds."""

REPLIES = {
    "ok": GOOD,
    "fenced": f"Sure!\n```json\n{GOOD}\n```",
    "prose": "They seem to hold hands, but I would not put that into braces.",
    "truncated": GOOD[:14],
    "wrong-schema": '{"answer": 42}',
    "empty": "",
    "refusal-text": "I'm sorry, but I can't help with pictures of people.",
}

Script = Callable[[str, int], str]


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    id: str
    fault: str
    authorization: str | None
    body: dict[str, Any]


def always(fault: str) -> Script:
    return lambda _id, _number: fault


def first(*faults: str) -> Script:
    """These faults in turn for each id, then a good reply."""
    return lambda _id, number: faults[number] if number < len(faults) else "ok"


def at_random(seed: int, share: float, faults: tuple[str, ...] = TRANSIENT, most: int = 4) -> Script:
    """Each request fails with probability `share`, but at most `most` times for one id; equal for equal seeds."""

    def script(name: str, number: int) -> str:
        dice = random.Random(f"{seed} {name} {number}")
        return dice.choice(faults) if number < most and dice.random() < share else "ok"

    return script


class FaultServer:
    """Context manager; `url` is the base URL."""

    def __init__(self, script: Script | None = None, *, elsewhere: str = "", delay_s: float = 0.0) -> None:
        self.script, self.elsewhere, self.delay_s = script or always("ok"), elsewhere, delay_s
        self.received: list[Received] = []
        self.other: list[str] = []
        self.other_bodies: list[dict[str, Any]] = []
        self.most_at_once = self._at_once = 0
        self._numbers: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.leaving = threading.Event()
        outer = self

        class Handler(_Handler):
            server_of_faults = outer

        self._http = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> "FaultServer":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leaving.set()
        self._http.shutdown()
        self._http.server_close()

    def of(self, name: str) -> list[str]:
        """The faults that the requests of an id met, in order."""
        return [one.fault for one in self.received if one.id == name]

    def note(self, body: dict[str, Any], authorization: str | None) -> str:
        name = (ID.findall(json.dumps(body["messages"])) or ["?"])[-1]
        with self._lock:
            number = self._numbers[name]
            self._numbers[name] += 1
            fault = self.script(name, number)
            self.received.append(Received(name, fault, authorization, body))
        return fault

    def enter(self, step: int) -> None:
        with self._lock:
            self._at_once += step
            self.most_at_once = max(self.most_at_once, self._at_once)


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # a full queue would look like a fault that nobody asked for

    def handle_error(self, *_: object) -> None:
        pass  # clients that go away are part of the game


class _Handler(BaseHTTPRequestHandler):
    server_of_faults: FaultServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        faults = self.server_of_faults
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.path.endswith("/chat/completions"):
            faults.other.append(self.path)
            faults.other_bodies.append(body)
            native = next((made for end, made in NATIVE.items() if self.path.endswith(end)), None)
            if native is not None and faults.script("", 0) in native:
                return self.answer(200, json.dumps(native[faults.script("", 0)]).encode())
            return self.answer(404, b'{"error": {"message": "no such path"}}')
        fault = faults.note(body, self.headers.get("Authorization"))
        faults.enter(+1)
        try:
            time.sleep(faults.delay_s)
            self.fail(fault, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            faults.enter(-1)

    def do_GET(self) -> None:
        self.server_of_faults.other.append(self.path)
        self.answer(404, b"{}")

    def fail(self, fault: str, body: dict[str, Any]) -> None:
        status, _, how = fault.partition("-")
        if fault in REPLIES:
            self.answer(200, completion(REPLIES[fault]))
        elif fault == "echo-key":
            self.answer(200, completion(GOOD, model=str(self.headers.get("Authorization"))))
        elif fault == "refusal":
            self.answer(200, completion(None, refusal="I can't assist with that."))
        elif fault == "filter":
            self.answer(200, completion("", finish="content_filter"))
        elif fault == "no-temperature":
            named = "temperature" in body
            message = {"error": {"message": "Unsupported parameter: 'temperature' is not supported with this model."}}
            self.answer(400, json.dumps(message).encode()) if named else self.answer(200, completion(GOOD))
        elif fault == "html":
            self.answer(200, b"<html><script>alert(1)</script></html>", kind="text/html")
        elif fault == "no-choices":
            self.answer(200, b'{"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}')
        elif fault == "hang":
            self.server_of_faults.leaving.wait(60)
            self.close_connection = True
        elif fault == "drip":
            self.drip(completion(GOOD))
        elif fault == "huge":
            self.answer(200, completion("x" * 10_000_000))
        elif fault in ("reset", "cut"):
            if fault == "cut":
                data = completion(GOOD)
                self.begin(200, len(data))
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))  # close by RST
            self.connection.close()
            self.close_connection = True
        elif fault == "redirect":
            self.answer(307, b"", {"Location": self.server_of_faults.elsewhere + "/chat/completions"})
        elif status.isdigit():
            self.refuse(int(status), how)
        else:
            raise AssertionError(fault)

    def refuse(self, status: int, how: str) -> None:
        headers = {}
        if how == "date":
            headers = {"Retry-After": formatdate(time.time() + 1, usegmt=True)}
        elif how or status == 429:
            headers = {"Retry-After": how or "0.05"}
        said = f"HTTP {status} for {self.headers.get('Authorization')}"  # servers do quote the key
        self.answer(status, json.dumps({"error": {"message": said, "code": None}}).encode(), headers)

    def drip(self, data: bytes) -> None:
        self.begin(200, len(data))
        for at in range(len(data)):
            self.wfile.write(data[at : at + 1])
            self.wfile.flush()
            if self.server_of_faults.leaving.wait(0.1):
                return

    def answer(self, status: int, data: bytes, headers: dict[str, str] | None = None, kind: str | None = None) -> None:
        self.begin(status, len(data), headers, kind)
        self.wfile.write(data)

    def begin(self, status: int, length: int, headers: dict[str, str] | None = None, kind: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/json")
        self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()


def completion(text: str | None, *, refusal: str | None = None, finish: str = "stop", model: str = "fake-1") -> bytes:
    """The body of a chat completion."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    whole = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }
    return json.dumps(whole).encode()


def _message(text: str | None) -> dict[str, Any]:
    """The body of Anthropic's Messages."""
    content = [] if text is None else [{"type": "text", "text": text}]
    usage = {"input_tokens": 100, "output_tokens": 10}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "fake-1", "stop_sequence": None}
    return {**head, "content": content, "usage": usage, "stop_reason": "refusal" if text is None else "end_turn"}


def _generated(text: str | None) -> dict[str, Any]:
    """The body of Gemini's generateContent."""
    candidate: dict[str, Any] = {"finishReason": "SAFETY", "index": 0}
    if text is not None:
        candidate = {"finishReason": "STOP", "index": 0, "content": {"role": "model", "parts": [{"text": text}]}}
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake-1"}


def response(text: str | None) -> dict[str, Any]:
    """The body of OpenAI's Responses."""
    content = {"type": "output_text", "text": text, "annotations": []}
    if text is None:
        content = {"type": "refusal", "refusal": "I can't assist with that."}
    message = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [content]}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "fake-1",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": [message],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 100,
            "output_tokens": 10,
            "total_tokens": 110,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


NATIVE = {
    "/responses": {"ok": response(GOOD), "refusal": response(None)},
    "/v1/messages": {"ok": _message(GOOD), "refusal": _message(None)},
    ":generateContent": {"ok": _generated(GOOD), "refusal": _generated(None)},
}
"""End of the path -> what the providers' own interfaces answer."""


if __name__ == "__main__":  # a server for other processes: prints its address, and ends with its standard input
    import sys

    with FaultServer() as server:
        print(server.url, flush=True)
        sys.stdin.read()
