"""The list of routing rules."""

from __future__ import annotations

import pytest

from domains.models import Kind
from domains.tests.factories import DomainFactory, SyncStateFactory
from routing.models import RuleKind
from routing.selectors import rules_around, rules_delivering_to, rules_per_address
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db
LIST = "/routing/"
DOMAIN = "lindenhof.example"


def page(response):
    return response.content.decode()


def sources(response):
    return [rule.source for rule in response.context["page"]]


def test_every_kind_has_its_source_and_its_name(viewer_client, purelymail):
    SyncStateFactory(name=Kind.RULES)
    RoutingRuleFactory(match_user="shop")
    RoutingRuleFactory(match_user="shop", is_prefix=True)
    RoutingRuleFactory(match_user="", is_prefix=True)
    odd = RoutingRuleFactory(match_user="", is_prefix=False, targets=[])
    catch_all = RoutingRuleFactory(match_user="", is_prefix=True, is_catchall=True)
    html = page(viewer_client.get(LIST))
    assert "shop*<wbr>" in html
    assert "nobody" in html
    assert {odd.kind, catch_all.kind} == {RuleKind.ANY, RuleKind.CATCH_ALL}
    assert odd.source == f"*@{DOMAIN}"
    for kind in RuleKind:
        assert f'class="nowrap">{kind.label}</td>' in html
    assert not purelymail.calls


def test_search_reads_sources_as_written_and_targets(viewer_client):
    RoutingRuleFactory(match_user="info", targets=["mara@else.example"])
    RoutingRuleFactory(match_user="book", is_prefix=True, targets=["desk@lindenhof.example"])
    RoutingRuleFactory(match_user="", is_prefix=True, targets=["rest@lindenhof.example"])
    for text, found in {
        f"INFO@{DOMAIN}": [f"info@{DOMAIN}"],
        "book*@": [f"book*@{DOMAIN}"],
        "mara@else": [f"info@{DOMAIN}"],
        "*": [f"*@{DOMAIN}", f"book*@{DOMAIN}"],
        "\x00": [f"*@{DOMAIN}", f"book*@{DOMAIN}", f"info@{DOMAIN}"],
        "never": [],
    }.items():
        assert sources(viewer_client.get(LIST, {"q": text})) == found, text


def test_targets_beyond_the_third_are_counted(viewer_client):
    RoutingRuleFactory(targets=[f"t{number}@xn--bcher-kva.example" for number in range(7)])
    html = page(viewer_client.get(LIST))
    assert "+4" in html
    assert "more: t3@bücher.example, t4@bücher.example" in html


def test_filter_and_order(viewer_client):
    RoutingRuleFactory(match_user="b", domain__name="a.example")
    RoutingRuleFactory(match_user="a", domain__name="b.example")
    assert sources(viewer_client.get(LIST)) == ["b@a.example", "a@b.example"]
    assert sources(viewer_client.get(LIST, {"sort": "source"})) == ["a@b.example", "b@a.example"]
    assert sources(viewer_client.get(LIST, {"domain": "b.example"})) == ["a@b.example"]


@pytest.mark.parametrize("rows", [3, 200])
def test_the_list_costs_the_same_with_any_number_of_rows(
    viewer_client, django_assert_max_num_queries, rows
):
    RoutingRuleFactory.create_batch(rows)
    viewer_client.get(LIST)
    with django_assert_max_num_queries(12):
        viewer_client.get(LIST)


def test_rules_are_counted_once_per_address():
    RoutingRuleFactory(match_user="desk", targets=[f"desk@{DOMAIN}", "else@where.example"])
    RoutingRuleFactory(match_user="info", targets=[f"DESK@{DOMAIN}"])
    RoutingRuleFactory(match_user="des", is_prefix=True, targets=["else@where.example"])
    assert rules_per_address([f"desk@{DOMAIN}", "nobody@x.example"]) == {f"desk@{DOMAIN}": 2}


def test_a_rule_that_delivers_to_several_is_one_rule():
    RoutingRuleFactory(match_user="team", targets=[f"desk@{DOMAIN}", f"Lea@{DOMAIN}"])
    RoutingRuleFactory(match_user="desk", targets=["else@where.example"])
    assert rules_delivering_to([f"desk@{DOMAIN}", f"lea@{DOMAIN}"]) == 1
    assert rules_delivering_to([]) == 0


@pytest.mark.parametrize("is_on", [True, False])
def test_a_rule_that_never_matches_takes_no_mail_from_a_mailbox(is_on):
    domain = DomainFactory(name=DOMAIN, symbolic_subaddressing=is_on)
    RoutingRuleFactory(domain=domain, match_user="lea.f", targets=["else@where.example"])
    sources = [rule.source for rule in rules_around(f"lea.f@{DOMAIN}").taking]
    assert sources == ([] if is_on else [f"lea.f@{DOMAIN}"])


def test_an_address_inside_another_is_not_taken_for_it():
    RoutingRuleFactory(match_user="info", targets=[f"front-desk@{DOMAIN}", f"desk@{DOMAIN}.org"])
    assert rules_around(f"desk@{DOMAIN}").delivering == []


def test_strangers_are_sent_to_the_sign_in_page(client, owner):
    assert client.get(LIST).status_code == 302
