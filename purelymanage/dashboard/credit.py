"""What the account's credit says: how low it is, how fast it goes, and its chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from django.utils.formats import number_format
from django.utils.translation import gettext as _

LOW = Decimal(5)
VERY_LOW = Decimal(2)
SHOWN = timedelta(days=90)
RECENT = timedelta(days=30)
"""The pace is that of the last month: what is paid changes with the number of mailboxes."""
OBSERVED_DAYS = 3
"""With fewer days of falling, a pace would be a guess."""
FAR = 3650
WIDTH, HEIGHT, MARGIN = 320, 88, 6
CENT = Decimal("0.01")


def dollars(amount: Decimal) -> str:
    """`$1,203.50`, with a minus sign below zero, `under $0.01`; never rounded up."""
    if 0 < amount < CENT:
        return _("under $0.01")
    sign = "\N{MINUS SIGN}" if amount <= -CENT else ""
    return f"{sign}${number_format(abs(amount), decimal_pos=2, force_grouping=True)}"


@dataclass(frozen=True)
class Day:
    """The lowest credit of one day."""

    day: date
    credit: Decimal

    @property
    def amount(self) -> str:
        return dollars(self.credit)


@dataclass(frozen=True)
class Chart:
    """The paths of the SVG, and what it says in words."""

    trend: str
    area: str
    threshold: float
    zero: float
    """Where nothing is left; the bottom unless the credit went below."""
    first: Day
    last: Day
    lowest: Day
    top_ups: int


@dataclass(frozen=True)
class Credit:
    """The account's credit, its tone, and how long it lasts at the present pace."""

    amount: Decimal
    days: Sequence[Day]

    @property
    def shown(self) -> str:
        return dollars(self.amount)

    @property
    def tone(self) -> str:
        if self.amount < VERY_LOW:
            return "bad"
        return "warn" if self.amount < LOW else "ok"

    @property
    def per_day(self) -> Decimal | None:
        """What goes in a day, from the stretches without a top-up: a rise hides what went.

        None before enough of them was seen to tell.
        """
        spent, span = Decimal(0), 0
        for before, after in pairwise(self._recent):
            if after.credit <= before.credit:
                spent += before.credit - after.credit
                span += (after.day - before.day).days
        return spent / span if span >= OBSERVED_DAYS else None

    @property
    def _recent(self) -> list[Day]:
        return [day for day in self.days if day.day >= self.days[-1].day - RECENT]

    @property
    def pace(self) -> str:
        """`$0.24 a day`, `under $0.01 a day`."""
        return _("%(amount)s a day") % {"amount": dollars(self.per_day or Decimal(0))}

    @property
    def days_left(self) -> int | None:
        """None while nothing goes, or before that can be told."""
        if self.amount <= 0:
            return 0
        return int(self.amount / self.per_day) if self.per_day else None

    @property
    def ends_on(self) -> date | None:
        """The day the credit ends at the present pace, where that is within reach."""
        left = self.days_left
        return self.days[-1].day + timedelta(days=left) if left and left < FAR else None

    @property
    def chart(self) -> Chart | None:
        """The history as a line, once there are two days to draw."""
        if len(self.days) < 2:
            return None
        first, last = self.days[0], self.days[-1]
        span = (last.day - first.day).days
        top = max(LOW, *(day.credit for day in self.days))
        bottom = min(Decimal(0), *(day.credit for day in self.days))

        def x(day: Day) -> float:
            return round((day.day - first.day).days / span * WIDTH, 1)

        def y(credit: Decimal) -> float:
            share = float((credit - bottom) / (top - bottom))
            return round(HEIGHT - share * (HEIGHT - MARGIN), 1)

        trend = "M" + " L".join(f"{x(day)} {y(day.credit)}" for day in self.days)
        zero = y(Decimal(0))
        return Chart(
            trend=trend,
            area=f"{trend} L{WIDTH} {zero} L0 {zero} Z",
            threshold=y(LOW),
            zero=zero,
            first=first,
            last=last,
            lowest=min(self.days, key=lambda day: day.credit),
            top_ups=sum(after.credit > before.credit for before, after in pairwise(self.days)),
        )
