"""What the home page says of the credit."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from domains.tests.factories import CreditReadingFactory
from purelymanage.dashboard import selectors
from purelymanage.dashboard.tests.rows import HOME, page

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("credit", "tone", "words"),
    [
        ("-0.10", "bad", "Very low, top up now"),
        ("1.99", "bad", "Very low, top up now"),
        ("2", "warn", "Low, top up soon"),
        ("4.99", "warn", "Low, top up soon"),
        ("5", "ok", "Enough for now"),
    ],
)
def test_credit_has_a_tone_and_a_word(viewer_client, credit, tone, words):
    CreditReadingFactory(credit=credit)
    response = viewer_client.get(HOME)
    assert response.context["home"].credit.tone == tone
    assert words in page(response)


def test_the_page_follows_the_day(viewer_client):
    """A reading per hour for ten days, falling: the chart, the pace and the end."""
    yesterday = timezone.now() - timedelta(days=1)
    now = yesterday.replace(hour=12, minute=0, second=0, microsecond=0)
    for hour in range(10 * 24):
        CreditReadingFactory(at=now - timedelta(hours=hour), credit=2 + hour / 24 * 0.25)
    with time_machine.travel(now):
        credit = selectors.home().credit
        html = page(viewer_client.get(HOME))
    assert 10 <= len(credit.days) <= 11
    assert credit.days_left == pytest.approx(8, abs=1)
    assert "it lasts about" in html
    assert 'role="img"' in html


def read(days, *amounts):
    """A reading a day, the last one now, `days` apart."""
    now = timezone.now()
    for back, amount in enumerate(reversed(amounts)):
        CreditReadingFactory(at=now - timedelta(days=days * back), credit=amount)


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        (("19.16",), "The chart follows once the credit was read on two days"),
        (("6", "5.9"), "can be told after three days without a top-up"),
        (("1", "2", "3", "4", "5"), "can be told after three days without a top-up"),
        (("5", "5", "5", "5"), "It has not gone down in the last 30 days."),
        (("8", "6", "4", "2", "0"), "Nothing is left."),
        (("3", "2", "1", "0", "-1"), "Nothing is left."),
        (("4", "3", "2", "1"), "it lasts about 1 more day, until"),
        (("0.03", "0.02", "0.01", "0.004"), "it ends within a day"),
        (("900000.00000003", "900000.00000002", "900000.00000001", "900000"), "ten years"),
        (("1.50", "1.00", "0.50", "10.50", "10.00", "9.50"), "it lasts about 19 more days"),
    ],
)
def test_the_chart_says_in_words_how_long_the_credit_lasts(viewer_client, amounts, words):
    read(1, *amounts)
    html = page(viewer_client.get(HOME))
    assert words in " ".join(html.split())


def test_the_chart_has_a_sentence_for_those_who_do_not_see_it(viewer_client):
    read(1, "12.90", "1.50", "20", "3.41")
    html = " ".join(page(viewer_client.get(HOME)).split())
    assert 'role="img" aria-labelledby="credit-words"' in html
    assert "$12.90 at first, $3.41 at the end, $1.50 at the lowest. It rose once." in html
