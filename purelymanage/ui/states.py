"""How each state looks: tone, icon and word, the same on every page."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Look(NamedTuple):
    """A verdict: a tone (ok, warn, bad, info, idle), an icon, a word."""

    tone: str
    icon: str
    word: str | Promise


class BarPart(NamedTuple):
    """A part of a bar: how many, said in words, and where they are listed."""

    tone: str
    number: int
    words: str
    url: str


JOB_STATES = {
    "queued": Look("idle", "clock", _("Queued")),
    "running": Look("info", "loader", _("Running")),
    "done": Look("ok", "circle-check", _("Done")),
    "done_with_errors": Look("warn", "triangle-alert", _("Done with errors")),
    "failed": Look("bad", "circle-x", _("Failed")),
    "cancelled": Look("idle", "ban", _("Cancelled")),
    "interrupted": Look("warn", "unplug", _("Interrupted")),
}

DNS_STATES = {
    "ok": Look("ok", "circle-check", _("OK")),
    "wrong": Look("bad", "circle-x", _("Wrong")),
    "missing": Look("bad", "circle-minus", _("Missing")),
    "no_answer": Look("idle", "circle-help", _("No answer")),
    "accepted": Look("info", "shield-check", _("Accepted")),
    "notice": Look("info", "info", _("Own policy")),
    "failing": Look("bad", "circle-x", _("Failing")),
    "unchecked": Look("idle", "clock", _("Not checked yet")),
}


def message_tone(message: Message) -> str:
    """The tone of a message of Django's."""
    if message.level >= constants.ERROR:
        return "bad"
    if message.level >= constants.WARNING:
        return "warn"
    return "ok" if message.level == constants.SUCCESS else "info"
