"""A kind that can be deleted, without the app it belongs to."""

from __future__ import annotations

import pytest

from mailboxes.batches import services as batches
from mailboxes.batches.models import BatchKind
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import MissingError
from purelymanage.deletions import registry
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.registry import Deletable
from purelymanage.deletions.tests.world import populate
from purelymanage.purelymail.client import get_client

ADDRESS = "mara@lindenhof.example"


@pytest.fixture
def mailboxes(purelymail, monkeypatch):
    """Mailboxes can be deleted: those of the simulator, without any local copy."""
    purelymail.state.add_domain("lindenhof.example")
    purelymail.state.add_user(ADDRESS)

    def label(key):
        if key == "gone@lindenhof.example":
            raise MissingError(f"{key} is not known here any more.")
        return key

    def facts_there(key):
        return {"indexing": get_client().get_user(address=key).enable_search_indexing}

    kind = Deletable(
        kind=DeletionKind.MAILBOX,
        label=label,
        facts=lambda key: {"rules": [f"info@lindenhof.example → {key}"]},
        facts_there=facts_there,
        identity=lambda key: key,
        is_there=lambda key, facts: key in purelymail.state.users,
        delete=lambda key: get_client().delete_user(address=key),
        forget=lambda key: None,
    )
    monkeypatch.setattr(registry, "_deletables", {DeletionKind.MAILBOX: kind})
    return purelymail


@pytest.fixture
def rules(monkeypatch):
    """Rules can be deleted; PurelyMail knows nothing about them that the copy does not."""
    kind = Deletable(
        kind=DeletionKind.RULE,
        label=lambda key: f"rule {key}",
        facts=lambda _: {},
        identity=lambda key: key,
        is_there=lambda key, facts: True,
        delete=lambda key: None,
        forget=lambda key: None,
    )
    monkeypatch.setattr(registry, "_deletables", {DeletionKind.RULE: kind})


@pytest.fixture
def without_queue(monkeypatch):
    monkeypatch.setattr("purelymanage.jobs.queue.async_task", lambda *_args, **_rest: None)


@pytest.fixture
def bulk(admin, purelymail):
    """A running bulk deletion and a preview of another, both of Adam's."""
    MailboxFactory.create_batch(6)
    with acting_as(person(admin)):
        running = batches.preview_selection(kind=BatchKind.DELETE, mailboxes=Mailbox.objects.all())
        batches.start(batch=running)
        two = Mailbox.objects.filter(pk__in=Mailbox.objects.values_list("pk")[:2])
        batches.preview_selection(kind=BatchKind.DELETE, mailboxes=two)
    return running


@pytest.fixture
def world(purelymail):
    return populate(purelymail)
