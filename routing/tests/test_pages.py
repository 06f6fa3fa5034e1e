"""Making, changing and deleting rules, and asking where an address goes, in the browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from domains.copy import refresh
from domains.models import Domain, Kind
from domains.tests.factories import DomainFactory, SyncStateFactory
from mailboxes.tests.factories import MailboxFactory
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.services import schedule_deletion
from routing.models import RoutingRule, RuleEdit
from routing.services.rules import facts_of
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db
OURS = "ours.example"
ADD, PREVIEW, TRACE = "/routing/new/", "/routing/preview/", "/routing/trace/"
TYPED = {"kind": "exact", "match": "sales", "domain": OURS, "targets": f"lea@{OURS}"}
HTMX = {"hx-request": "true"}


@pytest.fixture
def account(purelymail):
    """One domain, one mailbox, one rule, and the copy of them."""
    purelymail.state.add_domain(OURS).symbolic_subaddressing = False
    purelymail.state.add_user(f"lea@{OURS}")
    purelymail.state.add_rule(OURS, "info", f"lea@{OURS}")
    refresh([Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES])
    purelymail.before = purelymail.calls
    return purelymail


def asked(account):
    """The calls since the copy was filled."""
    return account.calls - account.before


def page(response):
    return response.content.decode()


def seal_in(response):
    return re.search(r'value="([0-9a-f]{16})"', page(response))[1]


def post(client, url, **typed):
    return client.post(url, TYPED | typed)


def test_a_rule_is_made_and_stands_in_the_list_at_once(admin_client, account):
    assert admin_client.get(ADD).status_code == 200
    answer = admin_client.post(ADD, TYPED, follow=True)
    assert "sales@ours.example is in force." in page(answer)
    assert RoutingRule.objects.filter(match_user="sales").exists()
    assert len(account.state.rules) == 2
    assert asked(account) == {"createRoutingRule": 1, "listRoutingRules": 1}


def test_opening_and_previewing_costs_no_call(admin_client, account):
    rule = RoutingRule.objects.get()
    for url in (ADD, reverse("routing:edit", args=[rule.pk]), "/routing/", TRACE):
        assert admin_client.get(url).status_code == 200
    assert post(admin_client, PREVIEW).status_code == 200
    assert admin_client.get(f"/routing/{rule.pk}/delete/").status_code == 200
    assert not asked(account)


def test_a_warning_asks_for_a_second_yes(admin_client, account):
    first = post(admin_client, ADD, match="lea", targets="far@else.example")
    assert first.status_code == 422
    assert "takes the mail of lea@ours.example away" in page(first)
    assert page(first).count('name="anyway"') == 1
    assert "Create rule" not in page(first)
    assert "far@else.example" in page(first), "what was typed stays"
    assert not asked(account)
    other = post(admin_client, ADD, match="lea", targets="far@else.example", anyway="1")
    assert other.status_code == 422
    second = post(admin_client, ADD, match="lea", targets="far@else.example", anyway=seal_in(first))
    assert second.status_code == 302
    assert RoutingRule.objects.filter(match_user="lea").exists()


def test_a_yes_to_one_warning_is_none_to_another(admin_client, account):
    first = post(admin_client, ADD, match="lea", targets="far@else.example")
    changed = post(admin_client, ADD, targets=f"gone@{OURS}", anyway=seal_in(first))
    assert changed.status_code == 422
    assert "neither a mailbox nor a rule" in page(changed)


def test_the_same_rule_twice_is_refused_with_a_link(admin_client, account):
    rule = RoutingRule.objects.get()
    answer = post(admin_client, ADD, match="info")
    assert answer.status_code == 422
    assert "Exactly this rule exists" in page(answer)
    assert f'href="/routing/{rule.pk}/edit/"' in page(answer)
    again = post(admin_client, ADD, match="info", anyway="1")
    assert again.status_code == 422
    assert not asked(account)


def test_a_rule_made_outside_meanwhile_is_told(admin_client, account):
    account.state.add_rule(OURS, "sales", "other@else.example")
    answer = post(admin_client, ADD)
    assert answer.status_code == 422
    assert "has a routing rule on PurelyMail already, with other targets" in page(answer)


def test_while_purelymail_is_down_what_was_typed_stays(admin_client, account):
    account.down()
    answer = post(admin_client, ADD)
    assert answer.status_code == 422
    assert f"lea@{OURS}</textarea>" in page(answer)
    assert not RoutingRule.objects.filter(match_user="sales").exists()


@pytest.mark.parametrize(
    "typed",
    [
        {"kind": "nonsense"},
        {"kind": ""},
        {"domain": "else.example"},
        {"match": "*"},
        {"match": "a" * 300},
        {"targets": ""},
        {"targets": "nonsense"},
        {"targets": "\x00"},
        {"match": "\x00"},
    ],
)
def test_bad_input_is_refused_where_it_was_typed(admin_client, account, typed):
    answer = post(admin_client, ADD, **typed)
    assert answer.status_code == 422
    assert not asked(account)
    preview = post(admin_client, PREVIEW, **typed)
    assert preview.status_code == 200
    assert "as soon as it is complete" in page(preview)


def test_the_preview_says_what_will_happen(admin_client, account):
    html = page(post(admin_client, PREVIEW, match="lea", targets="far@else.example"))
    assert "Mail to lea@ours.example goes to far@else.example." in html
    assert "The mailbox lea@ours.example stops receiving." in html
    assert "takes the mail of lea@ours.example away" in html
    assert "anyway" not in html, "one yes before the second"
    editing = admin_client.post(
        f"{PREVIEW}?editing={RoutingRule.objects.get().pk}",
        TYPED | {"match": "info", "targets": "far@else.example"},
    )
    assert "Exactly this rule" not in page(editing)
    assert "has a rule already" not in page(editing)


def test_an_edit_keeps_the_row_and_says_so(admin_client, account):
    rule = RoutingRule.objects.get()
    url = reverse("routing:edit", args=[rule.pk])
    assert f"lea@{OURS}</textarea>" in page(admin_client.get(url))
    answer = admin_client.post(
        url, TYPED | {"match": "info", "targets": "far@else.example"}, follow=True
    )
    assert "info@ours.example is changed." in page(answer)
    rule.refresh_from_db()
    assert rule.targets == ["far@else.example"]


def test_an_edit_asks_again_too(admin_client, account):
    rule = RoutingRule.objects.get()
    answer = post(admin_client, f"/routing/{rule.pk}/edit/", match="lea", targets="x@else.example")
    assert answer.status_code == 422
    assert page(answer).count('name="anyway"') == 1
    assert "Save changes" not in page(answer)
    assert not asked(account)


def test_a_rule_with_a_pending_deletion_offers_to_keep_it_instead_of_the_form(
    admin_client, account
):
    rule = RoutingRule.objects.get()
    schedule_deletion(kind=DeletionKind.RULE, key=str(rule.purelymail_id))
    html = page(admin_client.get(f"/routing/{rule.pk}/edit/"))
    assert "Cancel deletion" in html
    assert 'id="rule-form"' not in html
    assert f'<li>lea<wbr><span class="at">@{OURS}</span></li>' in html, "what is about to go"
    assert "Deletion pending" in page(admin_client.get("/routing/"))
    answer = post(admin_client, f"/routing/{rule.pk}/edit/", match="info", targets="x@else.example")
    assert answer.status_code == 422
    assert not asked(account)


def test_deleting_names_what_happens_and_only_schedules(admin_client, account):
    MailboxFactory(address=f"info@{OURS}", domain=Domain.objects.get(name=OURS))
    rule = RoutingRule.objects.get()
    html = page(admin_client.get(f"/routing/{rule.pk}/delete/"))
    assert f"lea@{OURS}" in html
    assert "The mailbox info@ours.example gets it." in html
    answer = admin_client.post(f"/routing/{rule.pk}/delete/", follow=True)
    assert "will be deleted on" in page(answer)
    deletion = PendingDeletion.objects.get()
    assert deletion.key == str(rule.purelymail_id)
    assert deletion.label == f"info@{OURS}"
    assert deletion.dossier["targets"] == [f"lea@{OURS}"]
    assert deletion.dossier["match_user"] == "info"
    assert len(account.state.rules) == 1
    assert not asked(account)


def test_an_edit_at_work_blocks_the_deletion(admin_client, account, admin):
    rule = RoutingRule.objects.get()
    RuleEdit.objects.create(
        domain=rule.domain, old_id=rule.purelymail_id, old={}, new={}, started_by=admin
    )
    admin_client.post(f"/routing/{rule.pk}/delete/")
    assert not PendingDeletion.objects.exists()


def test_a_persisting_problem_stands_above_the_list(viewer_client, admin_client, account):
    account.fault("createRoutingRule", "drop_before", times=None)
    rule = RoutingRule.objects.get()
    answer = post(admin_client, f"/routing/{rule.pk}/edit/", match="info", targets="x@else.example")
    assert answer.status_code == 422
    html = page(viewer_client.get("/routing/"))
    assert html.count("The change of info@ours.example is not at its end.") == 1
    assert "Neither rule stands at the moment" in html


@pytest.mark.parametrize(
    "url", [ADD, "/routing/1/edit/", "/routing/1/delete/", "/routing/targets/"]
)
def test_viewers_change_nothing(viewer_client, url):
    assert viewer_client.get(url).status_code == 403
    assert viewer_client.post(PREVIEW).status_code == 403


def test_the_source_leads_an_admin_to_the_rule(admin_client, account):
    rule = RoutingRule.objects.get()
    html = " ".join(page(admin_client.get("/routing/")).split())
    assert f'<td role="cell" class="title"> <a href="/routing/{rule.pk}/edit/">' in html
    assert f'popovertarget="rule-{rule.pk}-menu"' in html


def test_a_viewer_sees_no_actions(viewer_client, account):
    html = page(viewer_client.get("/routing/"))
    assert "New rule" not in html
    assert "/edit/" not in html
    assert "Where does this address go?" in html


def test_kinds_filter_the_list(viewer_client, account):
    RoutingRuleFactory(purelymail_id=1, match_user="book", is_prefix=True)
    RoutingRuleFactory(purelymail_id=2, match_user="", is_prefix=True, is_catchall=True)
    for kind, number in {"exact": 1, "prefix": 1, "any": 0, "catch_all": 1, "nonsense": 3}.items():
        listed = viewer_client.get("/routing/", {"state": kind}).context["page"]
        assert len(listed) == number, kind


def test_the_tracer_answers_on_a_page_and_as_a_part(viewer_client, account):
    whole = page(viewer_client.get(TRACE, {"address": " INFO@ours.example. "}))
    assert "lea@ours.example gets it." in whole
    assert "<html" in whole
    part = page(viewer_client.get(TRACE, {"address": "info@ours.example"}, headers=HTMX))
    assert "lea@ours.example gets it." in part
    assert "<html" not in part
    assert not asked(account)


@pytest.mark.parametrize("address", ["", "nonsense", "a" * 2000, "\x00@x", "@", "a@b@c"])
def test_the_tracer_refuses_what_is_no_address(viewer_client, account, address):
    assert viewer_client.get(TRACE, {"address": address}).status_code == 422
    assert viewer_client.get(TRACE, {"address": address}, headers=HTMX).status_code == 422


def test_the_tracer_follows_chains_over_domains_and_says_what_is_uncertain(viewer_client):
    SyncStateFactory(name=Kind.MAILBOXES)
    other = DomainFactory(name="other.example", symbolic_subaddressing=True)
    ours = DomainFactory(name=OURS, symbolic_subaddressing=False)
    RoutingRuleFactory(domain=ours, match_user="info", targets=["a.desk@other.example"])
    RoutingRuleFactory(
        domain=other, match_user="", is_prefix=True, is_catchall=True, targets=["x@far.example"]
    )
    html = page(viewer_client.get(TRACE, {"address": f"info@{OURS}"}))
    assert "x@far.example gets it." in html
    assert "so the catch-all takes it" in html
    assert "This answer is not certain." in html


def test_international_domains_are_traced_and_shown_as_people_write_them(viewer_client):
    domain = DomainFactory(name="xn--bcher-kva.example")
    RoutingRuleFactory(domain=domain, match_user="info", targets=["lea@xn--bcher-kva.example"])
    MailboxFactory(address="lea@xn--bcher-kva.example", domain=domain)
    html = page(viewer_client.get(TRACE, {"address": "info@bücher.example"}))
    assert "lea@bücher.example gets it." in html
    found = viewer_client.get("/routing/", {"q": "info@bücher"}).context["page"]
    assert len(found) == 1


def test_a_sharp_s_is_found_in_either_spelling(viewer_client):
    domain = DomainFactory(name="xn--strae-oqa.example")
    RoutingRuleFactory(domain=domain, match_user="info", targets=["lea@xn--strae-oqa.example"])
    for text in ("straße", "info@STRASSE"):
        assert len(viewer_client.get("/routing/", {"q": text}).context["page"]) == 1, text


def test_a_nul_in_what_is_typed_suggests_as_if_it_were_not_there(admin_client, account):
    answer = admin_client.get("/routing/targets/", {"q": "nul\x00"})
    assert answer.status_code == 200


def test_targets_are_suggested_from_the_copy(admin_client, account):
    for number in range(30):
        MailboxFactory(address=f"person-{number}@{OURS}", domain=Domain.objects.get(name=OURS))
    html = page(admin_client.get("/routing/targets/", {"q": "perso"}))
    assert html.count("<option") == 8
    assert "<option" not in page(admin_client.get("/routing/targets/", {"q": ""}))


def test_the_palette_finds_the_tracer_and_the_new_rule(admin_client, viewer_client):
    assert "New routing rule" in page(admin_client.get("/palette/"))
    assert "New routing rule" not in page(viewer_client.get("/palette/"))


def test_a_rule_on_a_domain_of_purelymails_is_not_moved_to_one_of_ours(admin_client, account):
    shared = DomainFactory(name="purelymail.com", is_shared=True)
    rule = RoutingRuleFactory(purelymail_id=1, domain=shared, match_user="someone")
    answer = admin_client.get(f"/routing/{rule.pk}/edit/")
    assert answer.status_code in (302, 409)
    post(admin_client, f"/routing/{rule.pk}/edit/")
    rule.refresh_from_db()
    assert rule.domain == shared
    assert not asked(account)


def test_an_edit_whose_worker_died_is_told_above_the_list(viewer_client, account):
    rule = RoutingRule.objects.get()
    facts = facts_of(rule)
    long_ago = timezone.now() - timedelta(minutes=3)
    edit = RuleEdit.objects.create(
        domain=rule.domain, old_id=rule.purelymail_id, old=facts, new=facts, started_at=long_ago
    )
    said = "The change of info@ours.example is not at its end."
    assert said in page(viewer_client.get("/routing/"))
    RuleEdit.objects.filter(pk=edit.pk).update(started_at=timezone.now())
    assert said not in page(viewer_client.get("/routing/"))
