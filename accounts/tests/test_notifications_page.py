"""Settings → Notifications: a test to a real receiver, and to those that fail."""

from __future__ import annotations

import logging
import smtplib
import time
from collections.abc import Iterator
from datetime import timedelta

import apprise  # noqa: F401  it brings a handler of its own
import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from purelymanage.jobs.tests.processes import free_port
from purelymanage.notifications.models import Delivery, Message
from purelymanage.notifications.outbox import post, push, send_waiting
from purelymanage.notifications.tests.receivers import Service, service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

PAGE, TEST = reverse("accounts:notifications"), reverse("accounts:notifications_test")
TOKEN = "T0k3n-of-the-hook"
TITLE = "Test of the notifications"


@pytest.fixture
def receiver(settings: object) -> Iterator[Service]:
    with service() as server:
        settings.NOTIFY_URLS = [server.url(TOKEN)]
        yield server


@pytest.fixture(autouse=True)
def _no_addresses(settings: object) -> None:
    settings.NOTIFY_URLS = []


def page_of(client: Client) -> str:
    return client.get(PAGE).content.decode()


def page_after_test(client: Client) -> str:
    """Once a worker has had its turn."""
    assert client.post(TEST).status_code == 302
    send_waiting()
    return page_of(client)


def test_a_test_reaches_the_person_and_each_address(
    admin_client: Client, admin: User, receiver: Service, mailoutbox: list
) -> None:
    assert "Nothing sent yet" in page_of(admin_client)
    page = admin_client.post(TEST, follow=True).content.decode()
    assert "A test is on its way" in page
    assert "On its way" in page
    assert f'hx-get="{PAGE}"' in page
    assert not receiver.taken, "the click waits for nobody"
    send_waiting()
    page = page_of(admin_client)
    assert [title for title, _text in receiver.taken] == [TITLE]
    assert [(mail.subject, mail.to) for mail in mailoutbox] == [(TITLE, [admin.email])]
    assert page.count("Delivered") == 2
    assert f'hx-get="{PAGE}"' not in page
    assert "Number 1 of NOTIFY_URLS" in page
    assert ">json<" in page
    entry = Entry.objects.get(action="notifications.tested")
    assert (entry.actor_id, entry.after) == (admin.pk, {"targets": 2})


def test_a_receiver_that_fails_is_named_in_words_and_tried_again(
    admin_client: Client, receiver: Service
) -> None:
    receiver.status = 500
    page = page_after_test(admin_client)
    assert "Not taken" in page
    assert "The service answered with status 500." in page
    assert "Delivered" in page, "the mail was"
    message = Message.objects.get()
    assert message.tries == 1
    assert timedelta(0) < message.try_after - timezone.now() <= timedelta(minutes=1)
    receiver.status = 200
    send_waiting()
    assert not receiver.taken, "not before its pause is over"
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=True):
        send_waiting()
    assert [title for title, _text in receiver.taken] == [TITLE]
    page = page_of(admin_client)
    assert "Not taken" not in page
    assert "500" not in page


def test_a_closed_port_and_a_slow_service_hold_nobody_up(
    admin_client: Client, receiver: Service, settings: object, mailoutbox: list
) -> None:
    with service() as slow:
        slow.seconds = 3
        closed = f"json://127.0.0.1:{free_port()}/{TOKEN}"
        settings.NOTIFY_URLS = [slow.url(TOKEN, wait_seconds=0.5), closed, receiver.url(TOKEN)]
        began = time.monotonic()
        admin_client.post(TEST)
        assert time.monotonic() - began < 2, "the page does not wait for them"
        send_waiting()
        assert time.monotonic() - began < 20
    page = page_of(admin_client)
    assert page.count("No connection to the service, or no answer in time.") == 2
    assert [title for title, _text in receiver.taken] == [TITLE]
    assert len(mailoutbox) == 1
    assert Message.objects.filter(tries=1).count() == 2


def test_once_it_is_mended_a_test_brings_what_waited(
    admin_client: Client, receiver: Service
) -> None:
    receiver.status = 503
    push(title="DNS fails", text="…")
    send_waiting()
    receiver.status = 200
    page_after_test(admin_client)
    assert [title for title, _text in receiver.taken] == ["DNS fails", TITLE]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (smtplib.SMTPAuthenticationError(535, b"no s3cret-word"), "refused the sign-in"),
        (smtplib.SMTPSenderRefused(550, b"no s3cret-word", "a@b"), "refused the sender"),
        (smtplib.SMTPRecipientsRefused({}), "refused the address"),
        (smtplib.SMTPDataError(554, b"s3cret-word"), "answered with status 554"),
        (TimeoutError("s3cret-word"), "did not answer in time"),
        (ConnectionRefusedError("s3cret-word"), "No connection to the mail server"),
        (ValueError("s3cret-word"), "no mail that can be sent"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_why_a_mail_was_not_taken_is_said_in_words(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def refuse(_self: object) -> None:
        raise error

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
    page = page_after_test(admin_client)
    assert words in page
    assert "s3cret" not in page
    assert Message.objects.get().tries == 1


def test_no_part_of_an_address_is_shown_stored_or_logged(
    admin_client: Client, receiver: Service, settings: object, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 404
    handlers = [*logging.getLogger("apprise").handlers]
    split = ["carrier-pigeon", f"json://user:{TOKEN}@127.0.0.1:9/{TOKEN}/?key={TOKEN}"]
    settings.NOTIFY_URLS = [receiver.url(TOKEN), *split, f"{TOKEN}://x", TOKEN]
    with caplog.at_level(logging.DEBUG):
        page = page_after_test(admin_client)
    assert page.count("Not taken") == 5
    assert page.count("Apprise can make nothing of this address.") == 3
    stored = repr([list(model.objects.values()) for model in (Message, Delivery, Entry)])
    for text in (page, stored, caplog.text):
        assert TOKEN not in text
        assert TOKEN.lower() not in text.lower()
    assert logging.getLogger("apprise").level == logging.CRITICAL
    assert logging.getLogger("apprise").handlers == handlers


def test_without_a_mail_server_it_says_so(admin_client: Client, settings: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "No mail server is set" in page_of(admin_client)


def test_viewers_see_how_it_goes_and_send_nothing(viewer_client: Client, admin: User) -> None:
    post(people=[admin.pk], title="To the admin", text="…", html="…")
    page = page_of(viewer_client)
    assert "Send a test" not in page
    assert admin.email not in page
    assert viewer_client.post(TEST).status_code == 403
    assert Message.objects.count() == 1


def test_the_page_costs_the_same_for_any_number_of_addresses(
    admin_client: Client, settings: object, django_assert_max_num_queries
) -> None:
    page_of(admin_client)
    for count in (1, 20):
        settings.NOTIFY_URLS = [f"json://127.0.0.1:9/{number}" for number in range(count)]
        with django_assert_max_num_queries(9):
            page_of(admin_client)
