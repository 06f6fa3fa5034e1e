"""Does time tell who has an account? `python -m bench.enumeration --json`.

200 tries of each kind, taking turns, with the real Argon2: wrong passwords for somebody, for a
removed person, for one without a password and for nobody; and mails for a new password. Beside the
medians stands the chance (two-sided Mann-Whitney test) that two equal kinds differ as much as each
does from somebody; below 0.05 look again on a quiet machine. Limits are off: nobody from outside
gets as many tries.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Sequence

from bench.panel import panel

TRIES = 200
WARM_UP = 5
PASSWORD = "correct horse battery staple"
KINDS = {
    "somebody": "adam@panel.example",
    "removed": "vera@panel.example",
    "without_password": "nina@panel.example",
    "nobody": "nobody@panel.example",
}
PAGES = {
    "sign_in": ("/accounts/login/", "login", {"password": "wrong"}),
    "reset": ("/accounts/password/reset/", "email", {}),
}


def make_people() -> None:
    """One account of each kind."""
    from accounts.models import User

    for kind in ("somebody", "removed"):
        person = User.objects.create_user(email=KINDS[kind], name=kind, password=PASSWORD)
        person.is_active = kind != "removed"
        person.save()
    User.objects.create_user(email=KINDS["without_password"], name="Nina")


def measure(page: str, tries: int) -> dict[str, list[float]]:
    """Seconds of every try, by kind; each round in an order of its own."""
    from django.test import Client

    path, field, more = PAGES[page]
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for round_number in range(-WARM_UP, tries):
        for kind in random.sample(list(KINDS), len(KINDS)):
            client = Client()
            started = time.perf_counter()
            client.post(path, {field: KINDS[kind], **more})
            if round_number >= 0:
                seconds[kind].append(time.perf_counter() - started)
    return seconds


def chance(one: Sequence[float], other: Sequence[float]) -> float:
    """How likely two samples of the same thing differ as much: Mann-Whitney, as a normal curve."""
    ranked = sorted((value, which) for which, sample in enumerate((one, other)) for value in sample)
    ranks = sum(rank for rank, (_value, which) in enumerate(ranked, start=1) if which == 0)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


def report(tries: int) -> dict[str, dict[str, dict[str, float]]]:
    """Per page and kind the median and the chance."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for page in PAGES:
        seconds = measure(page, tries)
        base = seconds["somebody"]
        found[page] = {
            kind: {
                "median_ms": round(statistics.median(sample) * 1000, 2),
                **({} if kind == "somebody" else {"chance": round(chance(base, sample), 3)}),
            }
            for kind, sample in seconds.items()
        }
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--tries", type=int, default=TRIES)
    options = parser.parse_args()
    with panel():
        from django.conf import settings
        from django.core.management import call_command

        call_command("collectstatic", interactive=False, verbosity=0)
        settings.RATE_LIMITS = False
        settings.ACCOUNT_RATE_LIMITS = False
        settings.ALLOWED_HOSTS.append("testserver")
        make_people()
        found = report(options.tries)
    if options.json:
        print(json.dumps(found))
        return 0
    for page, kinds in found.items():
        for kind, facts in kinds.items():
            words = "  ".join(f"{name} {value}" for name, value in facts.items())
            print(f"{page:8} {kind:17} {words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
