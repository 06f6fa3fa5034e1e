"""How strong a new password is, in one word."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from zxcvbn import zxcvbn

LONGEST = 100
"""zxcvbn's effort grows with the length; beyond this a password is strong or a joke."""


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
    return STEPS[zxcvbn(password[:LONGEST], max_length=LONGEST)["score"]]
