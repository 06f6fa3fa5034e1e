"""Mailboxes of the local copy for tests."""

from __future__ import annotations

import factory

from domains.tests.factories import DomainFactory
from mailboxes.models import Mailbox


class MailboxFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Mailbox

    address = factory.Sequence(lambda number: f"person-{number:04}@lindenhof.example")
    domain = factory.LazyAttribute(
        lambda mailbox: DomainFactory(name=mailbox.address.rpartition("@")[2])
    )
