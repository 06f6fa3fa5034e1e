"""Rows of the local copy for tests."""

from __future__ import annotations

from datetime import timedelta

import factory
from django.utils import timezone

from domains.models import (
    CreditReading,
    DnsRecord,
    Domain,
    Kind,
    RecordKey,
    RecordState,
    SyncState,
)


class DomainFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Domain
        django_get_or_create = ("name",)

    name = factory.Sequence(lambda number: f"domain-{number}.example")
    passes_mx = True
    passes_spf = True
    passes_dkim = True
    passes_dmarc = True


class CheckedDomainFactory(DomainFactory):
    """One that PurelyMail was asked to check just now."""

    checked_at = factory.LazyFunction(timezone.now)
    recheck_after = factory.LazyAttribute(
        lambda row: row.checked_at + (timedelta(minutes=30) if row.failing_count else timedelta(1))
    )
    failing_count = factory.LazyAttribute(
        lambda row: [row.passes_mx, row.passes_spf, row.passes_dkim, row.passes_dmarc].count(False)
    )


class DnsRecordFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DnsRecord

    domain = factory.SubFactory(CheckedDomainFactory)
    key = RecordKey.MX
    state = RecordState.OK
    found = ["50 mailserver.purelymail.com"]
    answered_at = factory.LazyFunction(timezone.now)


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
