"""`manage.py recheck_dns`."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from domains.models import Domain
from domains.tests.factories import CheckedDomainFactory
from purelymanage.jobs.locks import only_one

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(purelymail):
    for name in ("shop.example", "xn--bcher-kva.example"):
        purelymail.state.add_domain(name)
        CheckedDomainFactory(name=name, passes_mx=name != "shop.example")
    return purelymail


def run(*arguments):
    out, err = StringIO(), StringIO()
    status = 0
    try:
        call_command("recheck_dns", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        status = end.code
    return status, out.getvalue() + err.getvalue()


def test_a_named_domain_is_checked_and_shown_before_and_after(account):
    assert run("shop.example") == (0, "shop.example: mx failing → ok, spf ok, dkim ok, dmarc ok\n")
    assert account.calls == {"updateDomainSettings": 1, "listDomains": 1}


def test_names_are_taken_as_people_write_them_and_each_once(account):
    status, words = run("Bücher.Example.", "xn--bcher-kva.example")
    assert status == 0
    assert words.startswith("bücher.example: mx ok")
    assert account.calls["updateDomainSettings"] == 1


def test_without_arguments_it_takes_those_whose_turn_it_is(account):
    assert run() == (0, "No domain is due.\n")
    Domain.objects.filter(name="shop.example").update(
        recheck_after=timezone.now() - timedelta(seconds=1)
    )
    assert run()[1].startswith("shop.example: mx failing → ok")
    assert run() == (0, "No domain is due.\n")


def test_all_and_failing(account):
    assert run("--failing")[1].count("\n") == 1
    assert run("--all")[1].count("\n") == 2


def test_json(account):
    text = run("shop.example", "--json")[1]
    assert json.loads(text) == [
        {
            "domain": "shop.example",
            "before": {"mx": "failing", "spf": "ok", "dkim": "ok", "dmarc": "ok"},
            "after": {"mx": "ok", "spf": "ok", "dkim": "ok", "dmarc": "ok"},
            "error": "",
        }
    ]


def test_a_dry_run_calls_nobody(account):
    assert run("--failing", "--dry-run") == (
        0,
        "shop.example: mx failing, spf ok, dkim ok, dmarc ok\n",
    )
    assert not account.calls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody.example"], "not among the domains"),
        (["no domain"], "not a domain"),
        (["shop.example", "--all"], "not both"),
    ],
)
def test_wrong_arguments_end_with_two(account, arguments, words):
    with pytest.raises(CommandError, match=words) as refused:
        call_command("recheck_dns", *arguments)
    assert refused.value.returncode == 2


def test_no_answer_ends_with_one_and_says_so_of_each(account):
    account.down()
    status, words = run("--all")
    assert status == 1
    assert words.count("not checked.") == 2


def test_a_domain_that_left_the_account_is_told(account):
    del account.state.domains["shop.example"]
    status, words = run("shop.example")
    assert status == 1
    assert "shop.example: not checked." in words


def test_while_another_is_at_work_it_ends_with_three(account):
    with only_one("domains.rechecks", seconds=60):
        status, words = run("--all")
    assert status == 3
    assert "at work" in words
