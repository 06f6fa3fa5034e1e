"""The demo's servers, spoken to by an IMAP client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.template.loader import render_to_string
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from purelymanage.demo import imap, mail
from purelymanage.jobs.tests.processes import free_port
from purelymanage.purelymail.simulator.demo import DEMO_PASSWORD, demo_account

pytestmark = pytest.mark.once


class Running:
    """Demo servers in a thread, stopped at the end."""

    def __init__(self, boxes: list[imap.Box]) -> None:
        self.boxes = boxes
        self.loop = asyncio.new_event_loop()
        self.task = self.loop.create_task(imap.serve(boxes))
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.loop.run_until_complete(self.task)
        except asyncio.CancelledError:
            pass
        finally:
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    def connect(self, port: int) -> IMAPClient:
        for _ in range(600):
            try:
                return IMAPClient("127.0.0.1", port, ssl=False, timeout=60)
            except ConnectionRefusedError:
                threading.Event().wait(0.1)
        raise AssertionError("the demo server did not come up")

    def stop(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join(10)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    tmp_path = tmp_path_factory.mktemp("demo")
    accounts = {"new@lindenhof.example": "fresh-password"}
    running = Running(
        [
            imap.Box(free_port(), tmp_path / "old", imap.old_password),
            imap.Box(free_port(), tmp_path / "new", lambda a, p: accounts.get(a) == p),
        ]
    )
    yield running
    running.stop()


def test_five_people_have_mail_with_folders_attachments_and_umlauts(servers: Running):
    for address in mail.addresses():
        with servers.connect(servers.boxes[0].port) as client:
            client.login(address, DEMO_PASSWORD)
            folders = {name for _flags, _delimiter, name in client.list_folders()}
            assert set(mail.FOLDERS) <= folders
            assert client.select_folder("Projekte/Brücke Süd")[b"EXISTS"] == 25
            assert client.select_folder("INBOX")[b"EXISTS"] == 90
            bodies = client.fetch(client.search(), ["BODY.PEEK[]"])
            assert any(b"image/png" in body[b"BODY[]"] for body in bodies.values())


def test_a_wrong_password_is_refused(servers: Running):
    with (
        servers.connect(servers.boxes[0].port) as client,
        pytest.raises(LoginError),
    ):
        client.login(mail.addresses()[0], "wrong")


def test_the_new_server_takes_a_mailbox_it_hears_of_for_the_first_time(servers: Running):
    servers.connect(servers.boxes[0].port).logout()
    with servers.connect(servers.boxes[1].port) as client:
        client.login("New@lindenhof.example", "fresh-password")
        client.create_folder("Entwürfe")
        client.append("Entwürfe", b"Subject: one\r\n\r\nx\r\n")
        assert client.select_folder("Entwürfe")[b"EXISTS"] == 1


def test_a_second_start_fills_nothing_again(servers: Running):
    with servers.connect(servers.boxes[0].port) as client:
        client.login(mail.addresses()[0], DEMO_PASSWORD)
        client.create_folder("Mine")
    servers.stop()
    again = Running([imap.Box(free_port(), servers.boxes[0].directory, imap.old_password)])
    try:
        with again.connect(again.boxes[0].port) as client:
            client.login(mail.addresses()[0], DEMO_PASSWORD)
            assert client.folder_exists("Mine")
            assert client.select_folder("INBOX")[b"EXISTS"] == 90
    finally:
        again.stop()


def test_the_same_seed_gives_the_same_mail():
    address = mail.addresses()[0]
    assert [m.content for m in mail.mailbox(address)][:5] == [
        m.content for m in mail.mailbox(address)
    ][:5]


def test_everybody_with_old_mail_has_a_mailbox_that_opens_with_the_same_password():
    account = demo_account()
    for address in mail.addresses():
        assert account.verify_password(address, DEMO_PASSWORD)


def test_the_demo_tells_who_has_mail_and_the_password():
    words = render_to_string("demo/mailboxes.html")
    assert all(address in words for address in mail.addresses())
    assert DEMO_PASSWORD in words
