"""How long the credit lasts, and its line."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from purelymanage.dashboard.credit import HEIGHT, WIDTH, Credit, Day, dollars

TODAY = date(2026, 11, 20)


def credit(*amounts):
    first = TODAY - timedelta(days=len(amounts) - 1)
    days = [Day(first + timedelta(days=n), Decimal(a)) for n, a in enumerate(amounts)]
    return Credit(amount=days[-1].credit, days=days)


def test_the_pace_is_what_falls_in_a_day():
    falling = credit("5.25", "5.00", "4.75", "4.50")
    assert falling.per_day == Decimal("0.25")
    assert falling.days_left == 18
    assert falling.ends_on == TODAY + timedelta(days=18)


def test_a_top_up_hides_nothing_of_what_goes():
    topped_up = credit("1.50", "1.00", "0.50", "10.50", "10.00", "9.50")
    assert topped_up.per_day == Decimal("0.5")
    assert topped_up.days_left == 19
    assert topped_up.chart.top_ups == 1


def test_before_three_days_without_a_top_up_no_pace_is_told():
    for amounts in (("5",), ("5", "4"), ("5", "4", "3"), ("5", "4", "9", "8")):
        assert credit(*amounts).per_day is None
        assert credit(*amounts).days_left is None
        assert credit(*amounts).ends_on is None
    assert Credit(amount=Decimal(5), days=[]).days_left is None


def test_what_only_rises_or_stays_tells_no_end():
    assert credit("1", "2", "3", "4", "5").days_left is None
    still = credit("5", "5", "5", "5")
    assert (still.per_day, still.days_left) == (0, None)


def test_the_pace_is_that_of_the_last_month():
    """Ten dollars a day long ago do not matter any more."""
    amounts = [str(1000 - 10 * n) for n in range(60)] + [f"{400 - n / 10:.1f}" for n in range(31)]
    assert credit(*amounts).per_day == Decimal("0.1")


def test_gaps_between_readings_count_as_the_days_they_are():
    days = [Day(TODAY - timedelta(days=back), Decimal(back)) for back in (20, 10, 0)]
    assert Credit(amount=Decimal(7), days=days).per_day == 1


def test_a_pace_too_slow_for_the_calendar_has_no_end_day():
    slow = credit(*(f"900000.0000000{n}" for n in range(9, 4, -1)))
    assert slow.days_left
    assert slow.ends_on is None
    assert slow.pace == "under $0.01 a day"


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "$0.00"),
        ("0.004", "under $0.01"),
        ("4.999", "$4.99"),
        ("-0.1", "\N{MINUS SIGN}$0.10"),
        ("-0.001", "$0.00"),
        ("12345678.9", "$12,345,678.90"),
    ],
)
def test_amounts_are_written_as_people_read_them(amount, words):
    assert dollars(Decimal(amount)) == words


def test_nothing_left_is_no_day_left():
    assert credit("0.5", "-0.1").days_left == 0


def test_the_line_stays_inside_the_chart_also_below_zero():
    for amounts in (("12.9", "3.41"), ("0", "0"), ("1", "-2"), ("80000", "1")):
        chart = credit(*amounts).chart
        points = [point.split() for point in chart.trend.removeprefix("M").split(" L")]
        assert [x for x, _y in points] == ["0.0", f"{WIDTH}.0"]
        assert all(0 <= float(y) <= HEIGHT for _x, y in points)
        assert 0 <= chart.threshold <= HEIGHT
        assert 0 <= chart.zero <= HEIGHT


def test_the_area_ends_at_zero_not_below():
    chart = credit("2", "-2").chart
    assert chart.zero < HEIGHT
    assert chart.area.endswith(f"L{WIDTH} {chart.zero} L0 {chart.zero} Z")
    assert credit("5", "3").chart.zero == HEIGHT
