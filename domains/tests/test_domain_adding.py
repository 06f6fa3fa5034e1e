"""The page that adds a domain: what was typed, what DNS shows, what PurelyMail says."""

from __future__ import annotations

import pytest

from domains.models import Domain, PurelyMailAccount
from domains.testing import CODE
from domains.tests.factories import DomainFactory

pytestmark = pytest.mark.django_db
ADD = "/domains/new/"
NAME = "new.example"
HTMX = {"HX-Request": "true"}


def html(response):
    return response.content.decode()


@pytest.fixture
def _ready(purelymail, dns):
    PurelyMailAccount.objects.create(ownership_code=CODE)
    dns.register(NAME)


@pytest.fixture
def published(_ready, purelymail, dns):
    dns.set(NAME, "TXT", CODE)
    purelymail.state.publish_ownership(NAME)


@pytest.mark.usefixtures("_ready")
def test_the_record_to_publish_stands_first_and_the_page_calls_nobody(
    admin_client, purelymail, dns
):
    text = html(admin_client.get(ADD, {"name": NAME}))
    assert f'data-copy="{CODE}"' in text
    assert f'value="{NAME}"' in text
    assert not purelymail.calls
    assert not dns.queries


def test_a_code_that_was_never_read_is_read_on_demand(admin_client, purelymail):
    assert "Read the ownership code" in html(admin_client.get(ADD))
    assert "Look and add" not in html(admin_client.get(ADD))
    assert "not known yet" in html(admin_client.post(ADD, {"name": NAME}))
    response = admin_client.post("/domains/new/code/", {"name": NAME})
    assert response.url == f"{ADD}?name={NAME}"
    assert purelymail.state.ownership_code in html(admin_client.get(ADD))


@pytest.mark.usefixtures("published")
def test_a_domain_whose_record_is_there_is_added(admin_client, purelymail):
    response = admin_client.post(ADD, {"name": " New.Example. "})
    domain = Domain.objects.get(name=NAME)
    assert response.url == f"/domains/{domain.pk}/"
    assert NAME in purelymail.state.domains
    assert "new.example is added" in html(admin_client.get(response.url))


@pytest.mark.usefixtures("_ready")
def test_a_missing_record_is_told_before_purelymail_is_asked(admin_client, purelymail):
    response = admin_client.post(ADD, {"name": NAME}, headers=HTMX)
    assert response.status_code == 422
    assert response.headers["HX-Replace-Url"] == f"{ADD}?name={NAME}"
    assert "The record is not at new.example yet" in html(response)
    assert f'value="{NAME}"' in html(response)
    anyway = admin_client.post(ADD, {"name": NAME, "anyway": "1"})
    assert anyway.status_code == 422, "we know that it is not there"
    assert not purelymail.calls


@pytest.mark.usefixtures("_ready")
def test_the_code_of_another_account_is_shown(admin_client, purelymail, dns):
    dns.set(NAME, "TXT", "purelymail_ownership_proof=beef")
    response = admin_client.post(ADD, {"name": NAME})
    assert "Another ownership code stands at new.example" in html(response)
    assert "purelymail_ownership_proof=beef" in html(response)
    assert not purelymail.calls


@pytest.mark.usefixtures("published")
def test_without_an_answer_the_admin_may_add_it_anyway(admin_client, purelymail, dns):
    dns.fail(NAME, "TXT", "servfail")
    response = admin_client.post(ADD, {"name": NAME})
    assert response.status_code == 422
    assert "We had no answer from DNS" in html(response)
    assert "Add anyway" in html(response)
    assert not purelymail.calls
    assert admin_client.post(ADD, {"name": NAME, "anyway": "1"}).status_code == 302
    assert Domain.objects.filter(name=NAME).exists()


@pytest.mark.usefixtures("published")
def test_what_purelymail_does_not_see_yet_is_told(admin_client, purelymail):
    purelymail.state.owned.clear()
    response = admin_client.post(ADD, {"name": NAME})
    assert response.status_code == 422
    assert "PurelyMail does not see the ownership record at new.example yet" in html(response)
    assert f'value="{NAME}"' in html(response)
    assert not Domain.objects.exists()


@pytest.mark.usefixtures("published")
def test_purelymail_down_keeps_what_was_typed(admin_client, purelymail):
    purelymail.down()
    response = admin_client.post(ADD, {"name": NAME})
    assert response.status_code == 422
    assert f'value="{NAME}"' in html(response)
    assert not Domain.objects.exists()


@pytest.mark.usefixtures("_ready")
def test_a_domain_that_is_here_already_is_offered(admin_client):
    domain = DomainFactory(name=NAME)
    text = html(admin_client.post(ADD, {"name": NAME}))
    assert "managed here already" in text
    assert f'href="/domains/{domain.pk}/"' in text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "This field is required"),
        ("https://example.com/", "web address. Write only the domain: example.com."),
        ("http://www.example.com:8080/a?b", "Write only the domain: example.com."),
        ("example.com/path", "Write only the domain: example.com."),
        ("https://Bücher.example/", "Write only the domain: bücher.example."),
        ("mara@example.com", "e-mail address. Write only the domain: example.com."),
        ("Mara <mara@example.com>", "Write only the domain: example.com."),
        ("https:///", "Write only the domain: example.com."),
        ("https://[::1/", "web address"),
        ("example", "This is not a domain"),
        ("exam ple.com", "This is not a domain"),
        ("-a.example", "This is not a domain"),
        ("a..example", "This is not a domain"),
        ("192.168.0.1", "This is not a domain"),
        ("*.example.com", "This is not a domain"),
        ("\u202eexample.com", "This is not a domain"),
        ("a\x00b.example", "Null characters are not allowed"),
        (f"{'a' * 64}.example", "This is not a domain"),
        (".".join(["a" * 50] * 6), "at most 253 characters"),
        ("ü" * 1900 + ".example", "at most 253 characters"),
        ("a" * 5000, "at most 253 characters"),
        ("purelymail.com", "belongs to PurelyMail"),
    ],
)
@pytest.mark.usefixtures("_ready")
def test_a_bad_name_is_refused_with_what_to_write(admin_client, purelymail, dns, typed, words):
    response = admin_client.post(ADD, {"name": typed})
    assert response.status_code == 422
    assert words in html(response)
    assert not purelymail.calls
    assert not dns.queries


@pytest.mark.usefixtures("_ready")
@pytest.mark.parametrize("typed", ["bücher.example", "BÜCHER.Example.", "xn--bcher-kva.example"])
def test_an_international_domain_is_added_in_the_form_dns_knows(
    admin_client, purelymail, dns, typed
):
    dns.set("xn--bcher-kva.example", "TXT", CODE)
    purelymail.state.publish_ownership("xn--bcher-kva.example")
    response = admin_client.post(ADD, {"name": typed})
    assert response.status_code == 302
    assert Domain.objects.get().name == "xn--bcher-kva.example"
    assert "bücher.example is added" in html(admin_client.get(response.url))


def test_only_admins_add_domains(viewer_client, admin_client):
    assert viewer_client.get(ADD).status_code == 403
    assert viewer_client.post(ADD, {"name": NAME}).status_code == 403
    assert viewer_client.post("/domains/new/code/").status_code == 403
    assert ADD not in html(viewer_client.get("/domains/"))
    assert ADD in html(admin_client.get("/palette/", {"q": "add dom"}))
