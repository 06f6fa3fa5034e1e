"""In the demo a new domain comes to green without a DNS provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.messages import get_messages
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from domains.dns import look_for_ownership, look_up
from domains.models import RecordState
from purelymanage.purelymail.errors import OwnershipError
from purelymanage.purelymail.simulator.dns_server import DnsServer

DOMAIN = "xn--bcher-kva.example"


@pytest.fixture
def demo(purelymail, settings) -> Iterator[DnsServer]:
    """The simulator with its DNS, as the demo has it."""
    server = DnsServer(purelymail.server.service)
    server.start()
    settings.DEMO = True
    settings.DNS_RESOLVERS = [server.address]
    yield server
    server.stop()


def publish(client: Client, what: str, domain: str = DOMAIN, **more: str):
    return client.post(reverse("demo:publish"), {"domain": domain, "what": what, **more})


def verdict(purelymail) -> list[bool]:
    """PurelyMail's four checks of the only domain."""
    (domain,) = purelymail.client.list_domains()
    return [domain.passes_mx, domain.passes_spf, domain.passes_dkim, domain.passes_dmarc]


@pytest.mark.django_db
def test_a_new_domain_comes_to_green_by_two_clicks(demo, purelymail, admin_client):
    code = purelymail.client.get_ownership_code()
    assert look_for_ownership(DOMAIN, ownership_code=code).state == RecordState.MISSING
    with pytest.raises(OwnershipError):
        purelymail.client.add_domain(name=DOMAIN)

    answer = publish(admin_client, "ownership", "Bücher.example.", next="/domains/new/")
    assert (answer.status_code, answer["Location"]) == (302, "/domains/new/")
    assert look_for_ownership(DOMAIN, ownership_code=code).state == RecordState.OK
    purelymail.client.add_domain(name=DOMAIN)
    assert verdict(purelymail) == [False] * 4

    publish(admin_client, "all")
    findings = look_up(DOMAIN, ownership_code=code)
    assert {finding.state for finding in findings.values()} == {RecordState.OK}
    assert len(findings) == 7
    purelymail.client.update_domain_settings(name=DOMAIN, recheck_dns=True)
    assert verdict(purelymail) == [True] * 4


@pytest.mark.django_db
def test_what_it_says_stays_true_when_the_page_turns_green_under_it(demo, admin_client):
    answer = publish(admin_client, "all")
    (message,) = get_messages(answer.wsgi_request)
    assert str(message) == (
        "Published in the demo's DNS for bücher.example. Every check from now on sees it."
    )


@pytest.mark.parametrize("flag", ["mx", "spf", "dkim", "dmarc"])
def test_our_lookup_and_purelymails_verdict_agree(demo, purelymail, flag):
    purelymail.state.add_domain(DOMAIN, **{flag: False})
    findings = look_up(DOMAIN, ownership_code=purelymail.state.ownership_code)
    failing = {key for key, finding in findings.items() if finding.state != RecordState.OK}
    assert failing == {"dkim2" if flag == "dkim" else flag}
    assert {findings[key].state for key in failing} <= {RecordState.WRONG, RecordState.MISSING}


@pytest.mark.parametrize(
    ("domain", "what"), [("", "all"), ("no domain", "all"), (DOMAIN, "mx"), ("a" * 600, "all")]
)
@pytest.mark.django_db
def test_what_makes_no_sense_is_refused(demo, purelymail, admin_client, domain, what):
    assert publish(admin_client, what, domain).status_code == 422
    assert not purelymail.state.owned


@pytest.mark.django_db
def test_a_simulator_that_is_gone_is_said(demo, settings, admin_client):
    settings.PURELYMAIL_API_URL = "http://127.0.0.1:9"
    answer = publish(admin_client, "all")
    assert answer.status_code == 503
    assert b"did not take the records" in answer.content


@pytest.mark.django_db
def test_viewers_publish_nothing(demo, purelymail, viewer_client):
    assert publish(viewer_client, "all").status_code == 403
    assert not purelymail.state.owned


@pytest.mark.django_db
def test_outside_the_demo_there_is_no_such_page(purelymail, admin_client):
    assert publish(admin_client, "all").status_code == 404
    assert not purelymail.state.owned


@pytest.mark.parametrize(
    ("is_demo", "who", "shown"), [(1, "admin", 1), (1, "viewer", 0), (0, "admin", 0)]
)
@pytest.mark.django_db
def test_the_button_shows_only_in_the_demo_and_to_admins(request, settings, is_demo, who, shown):
    settings.DEMO = bool(is_demo)
    visit = RequestFactory().get("/domains/new/?name=x")
    visit.user = request.getfixturevalue(who)
    html = render_to_string(
        "demo/publish.html", {"domain": DOMAIN, "what": "ownership"}, request=visit
    )
    assert (reverse("demo:publish") in html) is bool(shown)
    assert ('name="next" value="/domains/new/?name=x"' in html) is bool(shown)


@pytest.mark.django_db
def test_a_record_is_offered_for_domains_alone(demo, purelymail, admin_client):
    add = reverse("domains:add")
    admin_client.post(reverse("domains:ownership_read"))
    refused = admin_client.post(add, {"name": "nonsense"})
    assert reverse("demo:publish") not in refused.content.decode()
    missing = admin_client.post(add, {"name": DOMAIN})
    assert reverse("demo:publish") in missing.content.decode()
