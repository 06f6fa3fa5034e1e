"""How strong a new password is, in one word."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from zxcvbn import zxcvbn

JUDGED = 32
"""Only the beginning is judged: enough to be very strong, and anybody may ask. zxcvbn's effort
explodes with the length: 100 unlucky characters keep it busy for 5 seconds, 32 for half a one."""


class Strength(NamedTuple):
    """A step of the bar (1 to 4), its tone and its word."""

    value: int
    tone: str
    word: str | Promise


STEPS = (
    Strength(1, "bad", _("Very weak")),
    Strength(1, "bad", _("Weak")),
    Strength(2, "warn", _("Fair")),
    Strength(3, "ok", _("Strong")),
    Strength(4, "ok", _("Very strong")),
)


def judge(password: str) -> Strength | None:
    """The strength by zxcvbn; None while nothing is typed."""
    if not password:
        return None
    return STEPS[zxcvbn(password[:JUDGED])["score"]]
