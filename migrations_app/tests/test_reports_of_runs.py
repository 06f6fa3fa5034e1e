"""A real run between two servers, and what its report says of them."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from migrations_app.queueing import queue
from migrations_app.running import runner
from migrations_app.tests.dovecot import Mail, Pair
from migrations_app.tests.pages import text_of, url
from migrations_app.tests.queueing import make_job

pytestmark = [
    pytest.mark.imap,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("empty_cache"),
]


def mail(number: int, *folder: str, size: int = 100) -> Mail:
    body = f"Message-ID: <report{number}@x>\r\nSubject: never shown\r\n\r\n".encode() + b"x" * size
    return Mail(folder or ("INBOX",), body)


def test_the_report_of_a_run_agrees_with_both_servers(
    viewer_client: Client, imap_pair: Pair, settings: object
) -> None:
    settings.MIGRATION_ENGINE = "builtin"
    source = imap_pair.source.add_user("report@old.example", "source pass")
    destination = imap_pair.destination.add_user("report@new.example", "dest pass")
    twins = [mail(1), mail(1)]
    imap_pair.source.fill(source, [*twins, mail(2, size=9000), mail(3, "Entwürfe"), mail(4)])
    imap_pair.destination.fill(destination, [mail(4), mail(99)])
    job = make_job(
        source_host="localhost",
        source_port=imap_pair.source.port_tls,
        source_address=source,
        source_password="source pass",
        destination_host="localhost",
        destination_port=imap_pair.destination.port_tls,
        destination_address=destination,
        destination_password="dest pass",
        options={"max_message_bytes": 5000},
    )

    runner.run(queue.claim("a:1"))

    whole = json.loads(text_of(viewer_client.get(url("report_json", job.pk))))
    inbox, drafts = whole["by_folder"]
    assert (inbox["found"], inbox["copied"], inbox["already_there"]) == (4, 1, 1)
    assert inbox["skipped_why"] == {"duplicate": 1, "too_large": 1}
    assert (inbox["destination_messages"], inbox["difference"]) == (3, 2)
    assert inbox["bytes_found"] > 9000 > inbox["destination_bytes"] > 300
    assert (drafts["destination_folder"], drafts["verdict"]) == ("Entwürfe", "Complete")
    assert drafts["bytes_found"] == drafts["destination_bytes"] == drafts["bytes_copied"]
    assert whole["destination_messages"] == imap_pair.destination.count(destination)
    assert whole["verdict"] == "Complete, 2 left out"
    page = text_of(viewer_client.get(url("report", job.pk)))
    assert "1 twice in the folder, 1 above the size limit" in page
    assert "never shown" not in page
