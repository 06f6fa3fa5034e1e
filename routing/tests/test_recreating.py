"""A deleted rule is made again by the form for new ones, filled in from its dossier."""

from __future__ import annotations

import pytest
from django.utils import timezone

from domains.tests.factories import DomainFactory
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from routing.models import RoutingRule
from routing.services.rules import facts_of
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db

DOMAIN = "lindenhof.example"
TARGETS = [f"t{number}@far.example" for number in range(400)]


def page(response):
    return response.content.decode()


@pytest.fixture
def domain(purelymail):
    purelymail.state.add_domain(DOMAIN)
    return DomainFactory(name=DOMAIN)


@pytest.fixture
def deletion(domain):
    """Of a rule with more targets than an address has room for."""
    rule = RoutingRuleFactory(domain=domain, match_user="info", targets=TARGETS)
    facts = {"source": rule.source, "kind": rule.kind.value, **facts_of(rule)}
    rule.delete()
    return PendingDeletion.objects.create(
        kind=DeletionKind.RULE,
        key=str(rule.purelymail_id),
        label=rule.source,
        dossier=facts,
        requested_by_name="Adam",
        due_at=timezone.now(),
        state=DeletionState.EXECUTED,
        ended_at=timezone.now(),
    )


def test_the_form_is_filled_in_with_its_sentence_and_nothing_is_made(
    admin_client, purelymail, deletion
):
    response = admin_client.get(f"/deletions/{deletion.pk}/recreate/", follow=True)
    form = response.context["form"]
    assert form["match"].value() == "info"
    assert form["targets"].value().split("\n") == TARGETS
    assert response.context["report"].sentence in page(response)
    assert "Filled in from the dossier." in page(response)
    assert not purelymail.calls
    assert not RoutingRule.objects.exists()


def test_sent_twice_it_is_made_once(admin_client, purelymail, deletion):
    url = f"/routing/new/?deletion={deletion.pk}"
    form = admin_client.get(url).context["form"]
    typed = {name: form[name].value() for name in ("kind", "match", "domain", "targets")}
    assert admin_client.post(url, typed).status_code == 302
    assert RoutingRule.objects.get().targets == TARGETS
    assert admin_client.post(url, typed).status_code == 422
    assert purelymail.calls["createRoutingRule"] == 1


def test_what_stands_against_it_today_is_said_at_once(admin_client, domain, deletion):
    RoutingRuleFactory(domain=domain, match_user="info", targets=TARGETS)
    html = page(admin_client.get(f"/routing/new/?deletion={deletion.pk}"))
    assert "Exactly this rule exists" in html


def test_without_its_domain_the_domain_comes_first(admin_client, domain, deletion):
    domain.delete()
    html = page(admin_client.get(f"/routing/new/?deletion={deletion.pk}"))
    assert f"{DOMAIN} is none of your domains" in html
    assert "<textarea" not in html


def test_forged_numbers_are_not_found(admin_client, viewer_client, deletion):
    for number in ("", "x", "4711", "²"):
        assert admin_client.get(f"/routing/new/?deletion={number}").status_code == 404
        assert admin_client.post(f"/routing/new/?deletion={number}").status_code == 404
    PendingDeletion.objects.update(state=DeletionState.PENDING, ended_at=None)
    assert admin_client.get(f"/routing/new/?deletion={deletion.pk}").status_code == 404
    assert viewer_client.get(f"/routing/new/?deletion={deletion.pk}").status_code == 403
