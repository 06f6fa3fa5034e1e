"""What the log is narrowed by. The search box, the fields beside it and the URL all say the same.

The box takes qualifiers, `actor:ada target:"Old provider"`. What has a field of its own leaves the
box for it; what makes no sense stays in the box, with a sentence that says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actions import Action
from purelymanage.core.addresses import CONTROL

MAX_TEXT = 1000
FIELDS = ("action", "result", "from", "to")
"""Qualifiers that have a field of their own, beside the box."""
QUALIFIERS = ("actor", "target", *FIELDS)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
"""Years whose midnights exist in every time zone."""
TOKEN = re.compile(
    r"""
    (?: (?P<name>[a-z_-]+) : )?
    (?P<value> "(?:[^"]|"")*"? | \S* )
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A word or a qualifier. Quotes hold blanks together; inside of them a quote is written twice."""


class Ending(models.TextChoices):
    """How an entry ended, as filters and exports call it."""

    DONE = "done", gettext_lazy("Done")
    REFUSED = "refused", gettext_lazy("Refused")
    FAILED = "failed", gettext_lazy("Failed")
    INTERRUPTED = "interrupted", gettext_lazy("Interrupted")
    IN_PROGRESS = "in-progress", gettext_lazy("In progress")


@dataclass(frozen=True)
class Filters:
    """What narrows the log; an empty one does not."""

    actor: str = ""
    target: str = ""
    action: str = ""
    result: str = ""
    since: date | None = None
    until: date | None = None
    words: tuple[str, ...] = ()
    """Each has to be in the actor's name or in the target."""


@dataclass(frozen=True)
class Asked:
    """What somebody asked for, and what of it could not be understood."""

    filters: Filters
    odd: tuple[str, ...] = ()
    """Qualifiers without a meaning, as the box writes them."""
    problems: tuple[str, ...] = ()
    """A sentence for each of them."""

    @classmethod
    def of(cls, given: Mapping[str, str], *, fields_win: bool = False) -> Asked:
        """What a request's parameters ask for.

        A qualifier in the box wins over its field, unless the fields are what was changed last.
        """
        typed = _Box(_clean(given.get("q", "")))
        named = {name: _clean(given.get(name, "")) for name in QUALIFIERS}
        if fields_win:
            typed.named = {key: value for key, value in typed.named.items() if key not in FIELDS}
        return _judged({**named, **typed.named}, typed)

    @property
    def box(self) -> str:
        """What the search box shows: all that has no field of its own."""
        narrowing = self._named()
        qualifiers = [_qualifier(name, narrowing[name]) for name in ("actor", "target")]
        return " ".join(filter(None, [*qualifiers, self._rest]))

    @property
    def text(self) -> str:
        """All of it on one line, as one could type it into the box."""
        qualifiers = [_qualifier(name, value) for name, value in self._named().items()]
        return " ".join(filter(None, [*qualifiers, self._rest]))

    @property
    def query(self) -> str:
        """All of it as a URL's query that begins with `?`; empty where nothing was asked for."""
        given = {name: value for name, value in self._named().items() if value}
        if self._rest:
            given["q"] = self._rest
        return f"?{urlencode(given)}" if given else ""

    @property
    def fields(self) -> dict[str, str]:
        """What the fields beside the box show."""
        narrowing = self._named()
        return {name: narrowing[name] for name in FIELDS}

    @property
    def _rest(self) -> str:
        return " ".join([*self.odd, *map(_quoted, self.filters.words)])

    def _named(self) -> dict[str, str]:
        narrowing = self.filters
        return {
            "actor": narrowing.actor,
            "target": narrowing.target,
            "action": narrowing.action,
            "result": narrowing.result,
            "from": narrowing.since.isoformat() if narrowing.since else "",
            "to": narrowing.until.isoformat() if narrowing.until else "",
        }


class _Box:
    """What was typed, taken apart."""

    def __init__(self, text: str) -> None:
        self.words: list[str] = []
        self.named: dict[str, str] = {}
        self.odd: list[str] = []
        self.problems: list[str] = []
        values: dict[str, list[str]] = {}
        for token in TOKEN.finditer(text):
            value = _unquoted(token["value"])
            if name := token["name"]:
                values.setdefault(name.lower(), []).append(value)
            elif value:
                self.words.append(value)
        for name, given in values.items():
            self._sort(name, given)

    def _sort(self, name: str, values: list[str]) -> None:
        if name in QUALIFIERS and len(values) == 1:
            self.named |= {name: values[0]} if values[0] else {}
            return
        self.odd += [_qualifier(name, value) or f"{name}:" for value in values]
        if name in QUALIFIERS:
            problem = _("“%(name)s:” stands there more than once. Keep one of them.")
        else:
            problem = _("“%(name)s:” is no filter. Put words with a colon in quotation marks.")
        self.problems.append(problem % {"name": name})


def _judged(named: Mapping[str, str], typed: _Box) -> Asked:
    """Qualifiers by their names become filters, as far as their values have a meaning."""
    filters = Filters(
        actor=named["actor"], target=named["target"], words=tuple(dict.fromkeys(typed.words))
    )
    odd, problems = [*typed.odd], [*typed.problems]
    for name, judge in JUDGES.items():
        if not named[name]:
            continue
        try:
            filters = replace(filters, **judge(named[name]))
        except ValueError as problem:
            odd.append(_qualifier(name, named[name]))
            problems.append(str(problem))
    return Asked(filters, tuple(odd), tuple(problems))


def _action(text: str) -> dict[str, Any]:
    if (name := text.lower()) in Action.values:
        return {"action": name}
    alike = [known for known, words in Action.choices if name in f"{known} {words}".lower()][:5]
    raise ValueError(
        _("“%(text)s” is no action. Did you mean %(alike)s?")
        % {"text": text, "alike": ", ".join(alike)}
        if alike
        else _("“%(text)s” is no action. Choose one from the list.") % {"text": text}
    )


def _result(text: str) -> dict[str, Any]:
    if (name := text.lower().replace(" ", "-")) in Ending.values:
        return {"result": name}
    raise ValueError(
        _("“%(text)s” is no result. There are %(known)s.")
        % {"text": text, "known": ", ".join(Ending.values)}
    )


def _since(text: str) -> dict[str, Any]:
    return {"since": _day(text)}


def _until(text: str) -> dict[str, Any]:
    return {"until": _day(text)}


def _day(text: str) -> date:
    try:
        day = parse_date(text)
    except ValueError:  # such as 30 February
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(
            _("“%(text)s” is no day. Write it like %(day)s.")
            % {"text": text, "day": date(2026, 1, 31)}
        )
    return day


JUDGES = {"action": _action, "result": _result, "from": _since, "to": _until}


def _clean(text: str) -> str:
    return CONTROL.sub("", text).strip()[:MAX_TEXT]


def _qualifier(name: str, value: str) -> str:
    return f"{name}:{_quoted(value)}" if value else ""


def _quoted(value: str) -> str:
    """`Old provider` → `"Old provider"`, so that it is read back as one."""
    if not re.search(r'[\s":]', value):
        return value
    doubled = value.replace('"', '""')
    return f'"{doubled}"'


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    closed = value.endswith('"') and len(value) > 1 and value.count('"') % 2 == 0
    return value[1 : -1 if closed else None].replace('""', '"').strip()
