"""What the account's credit says: how low it is, how fast it goes, and its chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

LOW = Decimal(5)
VERY_LOW = Decimal(2)
SHOWN = timedelta(days=90)
WIDTH, HEIGHT, MARGIN = 320, 88, 6


@dataclass(frozen=True)
class Day:
    """The lowest credit of one day."""

    day: date
    credit: Decimal


@dataclass(frozen=True)
class Chart:
    """The paths of the SVG, and what it says in words."""

    trend: str
    area: str
    threshold: float
    first: Day
    last: Day


@dataclass(frozen=True)
class Credit:
    """The account's credit, its tone, and how long it lasts at the present pace."""

    amount: Decimal
    days: Sequence[Day]

    @property
    def tone(self) -> str:
        if self.amount < VERY_LOW:
            return "bad"
        return "warn" if self.amount < LOW else "ok"

    @property
    def per_day(self) -> Decimal:
        """What goes in a day: the falls only, so that topping up does not count as saving."""
        span = (self.days[-1].day - self.days[0].day).days if self.days else 0
        if not span:
            return Decimal(0)
        falls = (before.credit - after.credit for before, after in pairwise(self.days))
        return sum((fall for fall in falls if fall > 0), Decimal(0)) / span

    @property
    def days_left(self) -> int | None:
        """None while nothing goes, or before there are readings of two days."""
        if self.amount <= 0:
            return 0
        return int(self.amount / self.per_day) if self.per_day else None

    @property
    def ends_on(self) -> date | None:
        """The day the credit ends at the present pace, where that is within reach."""
        left = self.days_left
        reach = timedelta(days=3650).days
        return self.days[-1].day + timedelta(days=left) if left and left < reach else None

    @property
    def chart(self) -> Chart | None:
        """The history as a line, once there are two days to draw."""
        if len(self.days) < 2:
            return None
        first, last = self.days[0], self.days[-1]
        span = max((last.day - first.day).days, 1)
        top = max(LOW, *(day.credit for day in self.days))
        bottom = min(Decimal(0), *(day.credit for day in self.days))

        def x(day: Day) -> float:
            return round((day.day - first.day).days / span * WIDTH, 1)

        def y(credit: Decimal) -> float:
            share = float((credit - bottom) / (top - bottom))
            return round(HEIGHT - share * (HEIGHT - MARGIN), 1)

        trend = "M" + " L".join(f"{x(day)} {y(day.credit)}" for day in self.days)
        return Chart(
            trend=trend,
            area=f"{trend} L{WIDTH} {HEIGHT} L0 {HEIGHT} Z",
            threshold=y(LOW),
            first=first,
            last=last,
        )
