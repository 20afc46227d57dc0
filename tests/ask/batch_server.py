"""A server on this machine that speaks OpenAI's files and batches, as far as answering a batch needs."""

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from fault_server import GOOD, ID, Listener, response

Answering = Callable[[str], str]
"""Id of a question -> `ok`, `prose`, `refusal`, `error`, `expired`, or any reply text."""


class BatchServer:
    """Context manager; `url` is the base URL. Batches end when `ended` is set."""

    def __init__(self, answering: Answering | None = None) -> None:
        self.answering = answering or (lambda _name: "ok")
        self.files: dict[str, bytes] = {}
        self.batches: list[list[dict[str, Any]]] = []
        self.authorizations: set[str | None] = set()
        self.ended = False
        self.create_status = 200
        self.on_create: Callable[[], None] = lambda: None
        outer = self

        class Handler(_Handler):
            server_of_batches = outer

        self._http = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> "BatchServer":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def asked(self) -> list[str]:
        """Ids of all questions in all batches."""
        return [name_of(line) for batch in self.batches for line in batch]

    def create(self, input_file: str) -> dict[str, Any]:
        self.batches.append([json.loads(line) for line in self.files[input_file].splitlines()])
        return self.look(len(self.batches) - 1)

    def look(self, number: int) -> dict[str, Any]:
        count = len(self.batches[number])
        return {
            "id": f"batch_{number}",
            "object": "batch",
            "endpoint": "/v1/responses",
            "input_file_id": "file-in",
            "completion_window": "24h",
            "status": "completed" if self.ended else "in_progress",
            "created_at": 1,
            "output_file_id": f"out_{number}" if self.ended else None,
            "request_counts": {"total": count, "completed": count, "failed": 0},
        }

    def output(self, number: int) -> bytes:
        lines = [line for line in map(self.line, self.batches[number]) if line is not None]
        return b"\n".join(json.dumps(line).encode() for line in reversed(lines))  # in another order

    def line(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        fate = self.answering(name_of(asked))
        line: dict[str, Any] = {"id": "r", "custom_id": asked["custom_id"], "response": None, "error": None}
        if fate == "missing":
            return None
        if fate == "expired":
            line["error"] = {"code": "batch_expired", "message": "too late"}
        elif fate == "error":
            line["response"] = {"status_code": 500, "body": {"error": {"message": "oh"}}}
        else:
            text = None if fate == "refusal" else {"ok": GOOD, "prose": "They hug."}.get(fate, fate)
            line["response"] = {"status_code": 200, "body": response(text)}
        return line


class _Handler(BaseHTTPRequestHandler):
    server_of_batches: BatchServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        server = self.server_of_batches
        server.authorizations.add(self.headers.get("Authorization"))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/files":
            boundary = re.search(r"boundary=(\S+)", self.headers["Content-Type"])
            assert boundary is not None
            parts = body.split(b"--" + boundary[1].encode())
            (content,) = [part.split(b"\r\n\r\n", 1)[1].rstrip(b"\r\n") for part in parts if b'name="file"' in part]
            name = f"file-{len(server.files)}"
            server.files[name] = content
            made = {"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "x", "purpose": "batch"}
            return self.answer({**made, "status": "processed"})
        if server.create_status != 200:
            return self.answer({"error": {"message": "no"}}, server.create_status)
        made = server.create(json.loads(body)["input_file_id"])
        server.on_create()
        self.answer(made)

    def do_GET(self) -> None:
        server = self.server_of_batches
        if found := re.fullmatch(r"/v1/batches/batch_(\d+)", self.path):
            self.answer(server.look(int(found[1])))
        elif found := re.fullmatch(r"/v1/files/out_(\d+)/content", self.path):
            self.send(200, server.output(int(found[1])))
        else:
            self.answer({"error": {"message": "no such path"}}, 404)

    def do_DELETE(self) -> None:
        self.answer({"id": "x", "object": "file", "deleted": True})

    def answer(self, value: dict[str, Any], status: int = 200) -> None:
        self.send(status, json.dumps(value).encode())

    def send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def name_of(line: dict[str, Any]) -> str:
    return ID.findall(json.dumps(line["body"]))[-1]
