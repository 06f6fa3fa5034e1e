"""Web servers that stand for the services that `NOTIFY_URLS` names."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(BaseHTTPRequestHandler):
    """Takes what Apprise sends to `json://…`."""

    server: Service

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.server.seconds)
        if self.server.status == 200:
            self.server.taken.append((body["title"], body["message"]))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


class Service(ThreadingHTTPServer):
    """What it has taken, and how it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.taken: list[tuple[str, str]] = []
        self.status = 200
        self.seconds = 0.0

    def url(self, token: str = "", *, wait_seconds: float = 4) -> str:
        return f"json://127.0.0.1:{self.server_port}/{token}?rto={wait_seconds}"


@contextmanager
def service() -> Iterator[Service]:
    with Service() as server:
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        yield server
        server.shutdown()
