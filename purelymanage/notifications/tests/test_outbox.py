"""What waits to be sent: a real Apprise, and a web server that stands for its service."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from purelymanage.core.redaction import redact
from purelymanage.notifications import outbox
from purelymanage.notifications.checks import check_addresses
from purelymanage.notifications.models import Message
from purelymanage.notifications.outbox import post, push, send_waiting
from purelymanage.notifications.tests.receivers import service

pytestmark = pytest.mark.django_db
TOKEN = "T0k3n-of-the-hook"


@pytest.fixture
def hooks():
    """Two services, each with what it has taken."""
    with service() as one, service() as two:
        yield [one, two]


@pytest.fixture(autouse=True)
def _addresses(settings, hooks):
    settings.NOTIFY_URLS = [hook.url(TOKEN) for hook in hooks]


def later(minutes):
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True)


def test_each_address_gets_the_news_once(hooks):
    push(title="DNS fails", text="MX of {{ example }} points elsewhere.")
    send_waiting()
    send_waiting()
    news = [("DNS fails", "MX of {{ example }} points elsewhere.")]
    assert [hook.taken for hook in hooks] == [news, news]
    assert not Message.objects.exists()


def test_a_worker_is_asked_to_send_and_the_caller_does_not_wait(
    hooks, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as sent:
        push(title="DNS fails", text="…")
    assert sent
    assert not hooks[0].taken


def test_a_service_that_is_away_holds_nobody_up_and_gets_it_later_in_order(hooks):
    hooks[0].status = 503
    push(title="One", text="…")
    push(title="Two", text="…")
    send_waiting()
    assert [title for title, _ in hooks[1].taken] == ["One", "Two"]
    hooks[0].status = 200
    send_waiting()
    assert not hooks[0].taken, "not before its pause is over"
    with later(1.1):
        send_waiting()
    assert [title for title, _ in hooks[0].taken] == ["One", "Two"]
    assert len(hooks[1].taken) == 2


def test_what_nobody_took_for_a_day_is_given_up_and_the_log_says_so(hooks, caplog):
    hooks[0].status = 503
    push(title="One", text="…")
    send_waiting()
    with later(24 * 60 + 1), caplog.at_level(logging.ERROR):
        send_waiting()
    assert not Message.objects.exists()
    assert "“One” was given up: Number 1 of NOTIFY_URLS" in caplog.text


def test_an_address_that_this_host_does_not_know_waits_for_one_that_does(hooks, settings):
    both = settings.NOTIFY_URLS
    push(title="One", text="…")
    settings.NOTIFY_URLS = both[1:]
    send_waiting()
    assert [len(hook.taken) for hook in hooks] == [0, 1]
    settings.NOTIFY_URLS = both
    send_waiting()
    assert [len(hook.taken) for hook in hooks] == [1, 1]


def test_an_address_that_nobody_knows_any_more_is_given_up_after_a_day(hooks, settings, caplog):
    push(title="One", text="…")
    settings.NOTIFY_URLS = []
    with later(24 * 60 + 1), caplog.at_level(logging.ERROR):
        send_waiting()
    assert not Message.objects.exists()
    assert "“One” was given up: an address that NOTIFY_URLS does not name" in caplog.text


def test_what_breaks_after_it_was_sent_sends_it_no_second_time(hooks, monkeypatch):
    def die(*_):
        raise RuntimeError

    push(title="One", text="…")
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_note", die)
        with pytest.raises(RuntimeError):
            send_waiting()
    send_waiting()
    assert [len(hook.taken) for hook in hooks] == [1, 1]


def test_what_waited_while_no_worker_ran_is_tried_before_it_is_given_up(hooks):
    push(title="One", text="…")
    with later(60 * 60):
        send_waiting()
    assert [len(hook.taken) for hook in hooks] == [1, 1]


def test_what_is_no_mail_keeps_nobody_else_from_theirs(admin, owner, mailoutbox):
    post(people=[admin.pk], title="Two\nlines", text="…", html="…")
    post(people=[owner.pk], title="Done", text="…", html="…")
    send_waiting()
    assert [mail.to for mail in mailoutbox] == [[owner.email]]
    assert Message.objects.get().tries == 1


def test_what_is_refused_for_itself_keeps_the_same_person_from_no_other_news(admin, mailoutbox):
    for title in ("Two\nlines", "One", "Again two\nlines", "Two"):
        post(people=[admin.pk], title=title, text="…", html="…")
    send_waiting()
    assert [mail.subject for mail in mailoutbox] == ["One", "Two"]
    with later(1.1):
        post(people=[admin.pk], title="Three", text="…", html="…")
        send_waiting()
        assert [mail.subject for mail in mailoutbox] == ["One", "Two", "Three"]
    assert list(Message.objects.values_list("tries", flat=True)) == [2, 2]


def test_what_is_too_long_for_a_service_is_cut_and_not_refused(hooks, settings):
    """Chats take some thousand letters; what they refuse would be tried for a day."""
    settings.NOTIFY_URLS = [*settings.NOTIFY_URLS[:1], f"{settings.NOTIFY_URLS[1]}&overflow=split"]
    push(title="200 migrations", text="Lea has moved. " * 3000)
    send_waiting()
    assert [max(len(text) for _, text in hook.taken) <= 32768 for hook in hooks] == [True, True]
    assert [len(hook.taken) for hook in hooks] == [1, 2]


def test_while_one_worker_sends_another_leaves_it_alone(hooks, monkeypatch):
    push(title="One", text="…")

    def and_another(self, *args, **kwargs):
        send_waiting()
        return take(self, *args, **kwargs)

    take = Message.delete
    monkeypatch.setattr(Message, "delete", and_another)
    send_waiting()
    assert [len(hook.taken) for hook in hooks] == [1, 1]


def test_no_part_of_an_address_is_stored_or_logged(hooks, settings, caplog):
    hooks[0].status = 503
    settings.NOTIFY_URLS = [*settings.NOTIFY_URLS, "json://127.0.0.1:1/Another-t0ken?x=Third-t0ken"]
    with caplog.at_level(logging.DEBUG):
        push(title="One", text="…")
        send_waiting()
    stored = repr(list(Message.objects.values()))
    for secret in (TOKEN, "Another-t0ken", "Third-t0ken"):
        assert secret not in stored
        assert secret not in caplog.text
        assert secret not in redact(f"a library says {secret}")
    assert "Number 1 of NOTIFY_URLS did not take a message" in caplog.text


def test_hosts_and_ordinary_words_of_an_address_stay_readable(settings):
    settings.NOTIFY_URLS = ["https://user:pass-word-1@chat.example.com/hooks/abcdefgh1234"]
    assert redact("chat.example.com hooks") == "chat.example.com hooks"
    assert redact("abcdefgh1234 pass-word-1") == "•••• ••••"


def test_without_addresses_nothing_is_kept(settings):
    settings.NOTIFY_URLS = []
    push(title="One", text="…")
    assert not Message.objects.exists()


def test_an_address_that_apprise_does_not_know_is_named_by_its_number(settings):
    assert check_addresses() == []
    settings.NOTIFY_URLS = [*settings.NOTIFY_URLS, "carrier-pigeon://secret"]
    (problem,) = check_addresses()
    assert problem.msg.startswith("NOTIFY_URLS, number 3")
    assert "secret" not in f"{problem}"


def test_pauses_grow_up_to_an_hour(hooks):
    hooks[0].status = 503
    push(title="One", text="…")
    Message.objects.update(tries=9)
    send_waiting()
    wait = Message.objects.get().try_after - timezone.now()
    assert timedelta(minutes=59) < wait <= timedelta(minutes=outbox.PAUSES_MINUTES[-1])


def test_a_person_is_mailed_and_a_mail_server_that_is_away_is_tried_again(
    admin, mailoutbox, monkeypatch
):
    def refuse(self):
        raise ConnectionRefusedError

    post(people=[admin.pk], title="Done", text="Lea has moved.", html="<p>Lea has moved.</p>")
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
        send_waiting()
    assert Message.objects.get().tries == 1
    with later(2):
        send_waiting()
        send_waiting()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject, mail.body) == ([admin.email], "Done", "Lea has moved.")
    assert mail.alternatives[0][0] == "<p>Lea has moved.</p>"


def test_who_has_left_is_mailed_no_more(admin, mailoutbox):
    post(people=[admin.pk], title="Done", text="…", html="…")
    type(admin).objects.filter(pk=admin.pk).update(is_active=False)
    send_waiting()
    assert not mailoutbox
    assert not Message.objects.exists()
