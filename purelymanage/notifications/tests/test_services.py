"""Mail to those who administer the panel, one by one; a server that is away loses no news."""

from __future__ import annotations

import logging
import socket
import socketserver
import threading

import pytest
from django.template import engines

from accounts.models import User
from purelymanage.core.roles import Role
from purelymanage.notifications.outbox import send_waiting
from purelymanage.notifications.services import notify_admins
from purelymanage.notifications.tests.receivers import service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _template(tmp_path, monkeypatch):
    """A message of the tests' own, with a link and a name that has to be escaped in HTML."""
    mails = tmp_path / "emails"
    mails.mkdir()
    text = "{% autoescape off %}{{ name }}: {{ base_url }}/{% endautoescape %}"
    (mails / "news.txt").write_text(text)
    (mails / "news.html").write_text('<a href="{{ base_url }}/">{{ name }}</a>')
    engine = engines["django"].engine
    monkeypatch.setattr(engine, "dirs", [*engine.dirs, tmp_path])
    engine.template_loaders[0].reset()


def notify():
    return notify_admins(subject="DNS changed", template="news", context={"name": "a & b"})


def test_owners_and_admins_get_one_each_and_nobody_sees_the_others(
    owner, admin, viewer, mailoutbox, settings
):
    settings.BASE_URL = "https://panel.example"
    left = User.objects.create_user(email="left@panel.example", name="Left", role=Role.ADMIN)
    User.objects.filter(pk=left.pk).update(is_active=False)
    assert notify()
    assert sorted(mail.to for mail in mailoutbox) == [[admin.email], [owner.email]]
    for mail in mailoutbox:
        assert (mail.subject, mail.body) == ("DNS changed", "a & b: https://panel.example/")
        html, kind = mail.alternatives[0]
        assert kind == "text/html"
        assert html == '<a href="https://panel.example/">a &amp; b</a>'


def test_a_mail_server_that_is_away_is_told_to_the_caller_and_to_the_log(owner, settings, caplog):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    with caplog.at_level(logging.WARNING):
        assert not notify()
    assert "DNS changed" in caplog.text
    assert "ConnectionRefusedError" in caplog.text
    assert owner.email not in caplog.text


def test_a_mail_server_that_is_away_keeps_no_other_place_from_the_news(
    owner, admin, settings, monkeypatch, mailoutbox
):
    """A chat may be the only one to say so, and the mail is not lost for it."""

    def refuse(self):
        raise ConnectionRefusedError

    with service() as chat:
        settings.NOTIFY_URLS = [chat.url()]
        with monkeypatch.context() as patch:
            patch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
            assert notify()
        send_waiting()
        assert [title for title, _text in chat.taken] == ["DNS changed"]
    assert sorted(mail.to for mail in mailoutbox) == [[admin.email], [owner.email]]


def test_a_mail_server_that_says_nothing_is_not_waited_for_long(owner, settings):
    assert settings.EMAIL_TIMEOUT, "without one, a worker would hang until it is killed"
    settings.EMAIL_TIMEOUT = 0.2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        assert not notify()


class PickySmtp(socketserver.StreamRequestHandler):
    """Takes mail for everybody but Olga; with `hangs_up` it leaves instead of refusing."""

    taken: list[str] = []
    hangs_up = False

    def handle(self):
        self.wfile.write(b"220 picky\r\n")
        while line := self.rfile.readline().decode():
            verb, _colon, rest = line.strip().partition(":")
            if verb.upper() == "DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() != b".\r\n":
                    pass
            if verb.upper() == "RCPT TO":
                if "olga" in rest and self.hangs_up:
                    return
                if "olga" in rest:
                    self.wfile.write(b"550 no such user\r\n")
                    continue
                self.taken.append(rest.strip("<> "))
            self.wfile.write(b"250 ok\r\n")


@pytest.mark.parametrize(
    ("hangs_up", "error"), [(False, "SMTPRecipientsRefused"), (True, "SMTPServerDisconnected")]
)
def test_trouble_with_one_address_keeps_nobody_else_from_the_news(
    owner, admin, settings, caplog, monkeypatch, hangs_up, error
):
    PickySmtp.taken.clear()
    monkeypatch.setattr(PickySmtp, "hangs_up", hangs_up)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), PickySmtp) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        assert notify()
        server.shutdown()
    assert PickySmtp.taken == [admin.email]
    assert error in caplog.text


def test_a_panel_without_people_has_nobody_to_tell(mailoutbox):
    assert notify()
    assert not mailoutbox
