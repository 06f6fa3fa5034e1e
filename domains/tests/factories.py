"""Rows of the local copy for tests."""

from __future__ import annotations

import factory
from django.utils import timezone

from domains.models import CreditReading, Domain, Kind, SyncState


class DomainFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Domain
        django_get_or_create = ("name",)

    name = factory.Sequence(lambda number: f"domain-{number}.example")
    passes_mx = True
    passes_spf = True
    passes_dkim = True
    passes_dmarc = True


class SyncStateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SyncState

    name = Kind.MAILBOXES
    synced_at = factory.LazyFunction(timezone.now)
    tried_at = factory.LazyFunction(timezone.now)


class CreditReadingFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CreditReading

    credit = "19.16"
