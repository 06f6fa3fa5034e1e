"""A person at the panel without a browser: follows forms as HTML has them."""

from __future__ import annotations

import re
import time
from urllib.parse import urljoin

import requests

from migrations_app.tests.dovecot import Dovecot, Pair

PAUSE = 0.5
"""Between two looks at a page: it costs the panel more than a moment's patience."""
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Visitor:
    """Keeps cookies and everything that was ever answered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.answers: list[str] = []

    def get(self, path: str) -> requests.Response:
        return self._keep(self.session.get(urljoin(self.url, path), timeout=30))

    def post(self, path: str, *, form: str | None = None, **data: str) -> requests.Response:
        """Post to `path` with the token found on the page `form` (`path` itself by default)."""
        token = TOKEN.search(self.get(form or path).text)
        assert token, f"No form on {form or path}"
        return self._keep(
            self.session.post(
                urljoin(self.url, path),
                data={"csrfmiddlewaretoken": token[1], **data},
                headers={"Referer": self.url},
                timeout=60,
            )
        )

    def set_up(self, *, password: str = "a long enough passphrase 42") -> None:
        """Make the owner and be signed in as them."""
        done = self.post("/setup/", name="Olga", email="olga@panel.example", password=password)
        assert "Dashboard" in done.text

    def option(self, path: str, label: str) -> str:
        """The value behind a choice of a select; PurelyMail may not have been read yet."""
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            before, found, _after = self.get(path).text.partition(f">{label}</option>")
            if found:
                return before.rsplit('value="', 1)[1].split('"')[0]
            time.sleep(PAUSE)
        raise AssertionError(f"{path} does not offer {label}")

    def add_server(self, name: str, server: Dovecot) -> str:
        """Define a server; its value in the form for jobs."""
        port = str(server.port_tls)
        self.post(
            "/migrations/servers/new/", name=name, host="localhost", port=port, security="tls"
        )
        return self.option("/migrations/new/", name)

    def job_between(self, pair: Pair, user: str) -> dict[str, str]:
        """What to post for a job that moves `user`'s mailbox; both servers are added."""
        return {
            "source_server": self.add_server("Old", pair.source),
            "source_address": user,
            "source_password": pair.source.passwords[user],
            "destination_server": self.add_server("New", pair.destination),
            "destination_address": user,
            "destination_password": pair.destination.passwords[user],
        }

    def wait_for(self, path: str, words: str, *, seconds: float = 60) -> str:
        """The page at `path` once it says `words`."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            text = self.get(path).text
            if words in text:
                return text
            time.sleep(PAUSE)
        raise AssertionError(f"{path} never said {words}")

    def wait_for_end(self, job: int, *, seconds: float = 120) -> str:
        """The page of a job once it has ended; asks for its live part as a browser does."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            text = self.get(f"/migrations/{job}/").text
            self.get(f"/migrations/{job}/live/")
            if "Run for real" in text or "Re-run" in text:
                return text
            time.sleep(PAUSE)
        raise AssertionError(f"Job {job} did not end:\n{self.get(f'/migrations/{job}/log/').text}")

    def _keep(self, response: requests.Response) -> requests.Response:
        self.answers.append(response.text)
        self.answers.extend(str(step.headers) for step in [*response.history, response])
        return response
