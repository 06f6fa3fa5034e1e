"""Routing rules of the local copy for tests."""

from __future__ import annotations

import factory

from domains.tests.factories import DomainFactory
from routing.models import RoutingRule


class RoutingRuleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = RoutingRule

    purelymail_id = factory.Sequence(lambda number: 123_000 + number)
    domain = factory.SubFactory(DomainFactory, name="lindenhof.example")
    match_user = factory.Sequence(lambda number: f"alias-{number}")
    targets = factory.LazyFunction(lambda: ["desk@lindenhof.example"])
