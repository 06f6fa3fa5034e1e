"""How long the credit lasts, and its line."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from purelymanage.dashboard.credit import HEIGHT, WIDTH, Credit, Day

TODAY = date(2026, 11, 20)


def credit(*amounts):
    first = TODAY - timedelta(days=len(amounts) - 1)
    days = [Day(first + timedelta(days=n), Decimal(a)) for n, a in enumerate(amounts)]
    return Credit(amount=days[-1].credit, days=days)


def test_the_pace_is_what_falls_in_a_day():
    assert credit("5.00", "4.75", "4.50").per_day == Decimal("0.25")
    assert credit("5.00", "4.75", "4.50").days_left == 18
    assert credit("5.00", "4.75", "4.50").ends_on == TODAY + timedelta(days=18)


def test_topping_up_is_no_saving():
    assert credit("1.00", "0.50", "10.50", "10.00").per_day == Decimal(1) / 3


def test_one_day_and_no_fall_tell_no_pace():
    assert credit("5").days_left is None
    assert credit("5").chart is None
    assert credit("5", "5").days_left is None
    assert credit("5", "5").ends_on is None
    assert Credit(amount=Decimal(5), days=[]).days_left is None


def test_a_pace_too_slow_for_the_calendar_has_no_end_day():
    slow = credit("900000.00000002", "900000.00000001")
    assert slow.days_left
    assert slow.ends_on is None


def test_nothing_left_is_no_day_left():
    assert credit("0.5", "-0.1").days_left == 0


def test_the_line_stays_inside_the_chart_also_below_zero():
    for amounts in (("12.9", "3.41"), ("0", "0"), ("1", "-2"), ("80000", "1")):
        chart = credit(*amounts).chart
        points = [point.split() for point in chart.trend.removeprefix("M").split(" L")]
        assert [x for x, _y in points] == ["0.0", f"{WIDTH}.0"]
        assert all(0 <= float(y) <= HEIGHT for _x, y in points)
        assert 0 <= chart.threshold <= HEIGHT
