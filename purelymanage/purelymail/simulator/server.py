"""The simulator's HTTP server: the API under `/api/v0/`, its controls under `/_simulator/`.

Controls answer to this machine only, in JSON:

- `GET  /_simulator/state`: the account, without passwords
- `GET  /_simulator/calls`: how often each operation was called
- `GET  /_simulator/faults`, `DELETE /_simulator/faults`: those switched on; switch all off
- `POST /_simulator/faults` `{"operation": "createUser", "kind": "drop_after", "times": 1}`:
  switch one on; `operation` may be `"*"`, `times` null for always; also `seconds`, `after`
  (whether the effect comes first) and `retry_after`. The kinds are listed in `faults.py`.
- `POST /_simulator/verify` `{"address": …, "password": …}`: `{"valid": true}` where a mail
  program could sign in
- `POST /_simulator/dns` `{"domain": …, "ownership": true, "mx": true, …}`: what DNS says from now
- `POST /_simulator/credit` `{"credit": "1.99"}`: what is left on the account
- `POST /_simulator/reset` `{}`: the account as at first, no faults, no calls
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from purelymanage.core.hosts import is_loopback
from purelymanage.purelymail.simulator.controls import answer_control
from purelymanage.purelymail.simulator.faults import Fault
from purelymanage.purelymail.simulator.operations import OPERATIONS
from purelymanage.purelymail.simulator.service import TOKEN_HEADER, Service

API = "/api/v0/"
CONTROLS = "/_simulator/"
LONGEST_BODY = 1_000_000
PAGE = b"<!doctype html><title>%b</title><h1>%b</h1><p>An HTML page where JSON belongs.</p>\n"


class SimulatorServer(ThreadingHTTPServer):
    """Serves one simulated account until it is stopped."""

    daemon_threads = True

    def __init__(self, service: Service, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.service = service
        self._connections: set[socket.socket] = set()
        self._thread: threading.Thread | None = None
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        """Where it answers; an address that stands for all interfaces is told as this machine."""
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        self.service.closing.set()
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.hang_up()
        self.server_close()

    def hang_up(self) -> None:
        """Close every connection, as servers do with idle ones."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error of ours; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive as PurelyMail does."""

    server: SimulatorServer
    protocol_version = "HTTP/1.1"
    server_version = "PurelyMailSimulator"
    disable_nagle_algorithm = True
    timeout = 120

    def do_POST(self) -> None:
        """An operation or a control."""
        content = self._content()
        path = urlsplit(self.path).path
        if path.startswith(CONTROLS):
            self._control("POST", path, content)
        elif path.startswith(API) and path.removeprefix(API) in OPERATIONS:
            self._operate(path.removeprefix(API), content)
        else:
            self._page(HTTPStatus.NOT_FOUND)

    def do_GET(self) -> None:
        """A control; the API has no GET."""
        self._control_or_404("GET")

    def do_DELETE(self) -> None:
        """A control; the API has no DELETE."""
        self._control_or_404("DELETE")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Silent: the panel's own log tells what it asked for."""

    def _control_or_404(self, method: str) -> None:
        content = self._content()
        path = urlsplit(self.path).path
        if path.startswith(CONTROLS):
            self._control(method, path, content)
        else:
            self._page(HTTPStatus.NOT_FOUND)

    def _content(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            self.close_connection = True
            return b""
        return self.rfile.read(int(length))

    def _control(self, method: str, path: str, content: bytes) -> None:
        local = is_loopback(self.client_address[0])
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        elsewhere = host not in ("127.0.0.1", "localhost", "::1") or "Origin" in self.headers
        if not local or elsewhere:  # a web page open on this machine is somewhere else, too
            self._json({"error": "Controls answer to this machine only."}, HTTPStatus.FORBIDDEN)
            return
        name = path.removeprefix(CONTROLS)
        answer, status = answer_control(self.server.service, method, name, content)
        self._json(answer, status)

    def _operate(self, operation: str, content: bytes) -> None:
        service = self.server.service
        fault = service.count(operation)
        perform = partial(service.perform, operation, content, self.headers.get(TOKEN_HEADER))
        if fault is None:
            self._json(perform())
            return
        answer = perform() if fault.after else None
        if fault.kind == "latency":
            service.closing.wait(fault.seconds)
            self._json(perform() if answer is None else answer)
        else:
            self._strike(fault, answer or {})

    def _strike(self, fault: Fault, answer: dict[str, Any]) -> None:
        if fault.kind in ("timeout_before", "timeout_after"):
            self.server.service.closing.wait(fault.seconds)
        if fault.kind.startswith(("timeout", "drop")):
            self.close_connection = True
        elif fault.kind == "http_500":
            self._page(HTTPStatus.INTERNAL_SERVER_ERROR)
        elif fault.kind == "html":
            self._page(HTTPStatus.OK)
        elif fault.kind == "truncated":
            self._send(json.dumps(answer or {"type": "success"}).encode()[:-2], "application/json")
        elif fault.kind == "invalid_token":
            self._json({"type": "error", "code": "invalidToken", "message": "Token not valid."})
        elif fault.kind == "rate_limit":
            headers = {"Retry-After": f"{fault.retry_after:g}"}
            self._page(HTTPStatus.TOO_MANY_REQUESTS, headers)

    def _json(self, answer: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(answer).encode(), "application/json", status)

    def _page(self, status: HTTPStatus, headers: dict[str, str] | None = None) -> None:
        phrase = status.phrase.encode()
        self._send(PAGE % (phrase, phrase), "text/html; charset=utf-8", status, headers)

    def _send(
        self,
        content: bytes,
        content_type: str,
        status: HTTPStatus = HTTPStatus.OK,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
