"""A person at the panel without a browser: follows forms as HTML has them."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import requests

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

    def _keep(self, response: requests.Response) -> requests.Response:
        self.answers.append(response.text)
        self.answers.extend(str(step.headers) for step in [*response.history, response])
        return response
