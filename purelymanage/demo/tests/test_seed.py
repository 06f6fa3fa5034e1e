"""What a newcomer finds in the demo."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from domains.models import CreditReading
from domains.tests.factories import CreditReadingFactory
from migrations_app.models import Server
from purelymanage.dashboard.selectors import home

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(settings):
    settings.DEMO = True


def test_the_credit_has_a_past_that_tells_how_long_it_lasts():
    call_command("seed_demo")
    assert home().credit.days_left == pytest.approx(32, abs=2)
    assert {server.name for server in Server.objects.all()} == {"Old provider", "PurelyMail"}


def test_a_credit_that_was_read_has_its_own_past():
    CreditReadingFactory()
    call_command("seed_demo")
    assert CreditReading.objects.count() == 1
