"""Finds what can be sent to the panel: forms and links of its own pages, and what tests send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, URLPattern, resolve

from purelymanage.tests.audited import walk
from purelymanage.tests.audited.places import path_of
from purelymanage.tests.audited.tables import Line
from purelymanage.tests.audited.world import World
from purelymanage.tests.permissions.probe import scenario

Fields = dict[str, list[Any]]
VERBS = {"hx-get": "GET", "hx-post": "POST", "href": "GET"}


@dataclass(frozen=True)
class Target:
    """An address with what a well-meaning person would send there."""

    method: str
    path: str
    fields: Fields = field(default_factory=dict, compare=False)
    files: frozenset[str] = frozenset()

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """Targets alike in this are one."""
        return (self.method, self.path, tuple(sorted(self.fields)))


class Page(HTMLParser):
    """Reads the forms and links of a page."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here = here
        self.targets: list[Target] = []
        self._form: Target | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = self._target(facts.get("method", "get").upper(), facts.get("action", ""))
        elif name := facts.get("name"):
            self._control(tag, name, facts)
        elif tag == "option" and self._select and "selected" in facts:
            self._add(self._select, facts.get("value", ""))
        for attribute, method in VERBS.items():
            if attribute in facts:
                self._keep(self._target(method, facts[attribute]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form:
            self._keep(self._form)
            self._form = None
        elif tag == "select":
            self._select = ""

    def _control(self, tag: str, name: str, facts: dict[str, str]) -> None:
        if tag == "select":
            self._select = name
        if tag in ("input", "select", "textarea", "button"):
            self._add(name, facts.get("value", ""), is_file=facts.get("type") == "file")

    def _add(self, name: str, value: str, *, is_file: bool = False) -> None:
        if self._form is None or name == "csrfmiddlewaretoken":
            return
        self._form.fields.setdefault(name, []).append(value)
        if is_file:
            files = self._form.files | {name}
            self._form = Target(self._form.method, self._form.path, self._form.fields, files)

    def _target(self, method: str, url: str) -> Target:
        parts = urlsplit(urljoin(self.here, url))
        fields: Fields = {}
        for name, value in parse_qsl(parts.query):
            fields.setdefault(name, []).append(value)
        return Target(method, parts.path, fields)

    def _keep(self, target: Target) -> None:
        try:
            resolve(target.path)
        except Resolver404:
            return
        self.targets.append(target)


def of_pages(world: World, client: Client) -> list[Target]:
    """What the pages of the panel send, each once, in an order that is always the same."""
    found = {target.key: target for target in _on_pages(world, client)}
    return sorted(found.values(), key=lambda one: one.key)


def of_line(line: Line, world: World) -> Target:
    """What a scenario of the tables sends, with all that has to be there before."""
    sent = scenario(line, world)
    fields = {name: list(_several(value)) for name, value in sent.data.items()}
    return Target("POST", sent.path, fields)


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _on_pages(world: World, client: Client) -> Iterator[Target]:
    for name, item in _each_once():
        path = path_of(name, item, world)
        yield Target("GET", path)
        if "GET" not in walk.methods(item.callback):
            yield Target("POST", path)
            continue
        for headers in ({}, {"HX-Request": "true"}):
            response = client.get(path, headers=headers)
            kind = response.headers.get("Content-Type", "")
            if response.status_code == 200 and kind.startswith("text/html"):
                page = Page(path)
                page.feed(response.content.decode())
                yield from page.targets


def _each_once() -> Iterator[tuple[str, URLPattern]]:
    """Every address; of Django's admin all lists, which have filters, and one page of each kind."""
    seen: set[str] = set()
    for name, _route, item in walk.addresses():
        kind = walk.kind_of(name)
        if kind not in seen or not name.startswith("admin:") or name.endswith("_changelist"):
            seen.add(kind)
            yield name, item
