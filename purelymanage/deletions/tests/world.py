"""A mailbox, a domain and a rule at the simulator and in the copy, each to be deleted."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils import timezone

from domains.models import Domain
from domains.tests.factories import DomainFactory
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.deletions import registry
from purelymanage.deletions.execution import run_due
from purelymanage.deletions.models import DELAY, DeletionKind, PendingDeletion
from purelymanage.deletions.registry import deletable
from purelymanage.purelymail.simulator.operations import OPERATIONS
from routing.models import RoutingRule
from routing.tests.factories import RoutingRuleFactory

DOMAIN = "lindenhof.example"
OTHER_DOMAIN = "birkenhof.example"
MARA = f"mara@{DOMAIN}"
DELETES = {
    DeletionKind.MAILBOX: "deleteUser",
    DeletionKind.DOMAIN: "deleteDomain",
    DeletionKind.RULE: "deleteRoutingRule",
}
ASKS = {
    DeletionKind.MAILBOX: "getUser",
    DeletionKind.DOMAIN: "listDomains",
    DeletionKind.RULE: "listRoutingRules",
}
KINDS = list(DeletionKind)


@dataclass
class World:
    """What is to be deleted; `otto@…`, `birkenhof.example` and the rule of `otto` stay."""

    purelymail: object
    rule: str

    @property
    def account(self):
        return self.purelymail.state

    def key(self, kind):
        return {
            DeletionKind.MAILBOX: MARA,
            DeletionKind.DOMAIN: DOMAIN,
            DeletionKind.RULE: self.rule,
        }[kind]

    def is_there(self, kind):
        """At PurelyMail."""
        return {
            DeletionKind.MAILBOX: MARA in self.account.users,
            DeletionKind.DOMAIN: DOMAIN in self.account.domains,
            DeletionKind.RULE: int(self.rule) in self.account.rules,
        }[kind]

    def is_in_copy(self, kind):
        return {
            DeletionKind.MAILBOX: Mailbox.objects.filter(address=MARA),
            DeletionKind.DOMAIN: Domain.objects.filter(name=DOMAIN),
            DeletionKind.RULE: RoutingRule.objects.filter(purelymail_id=int(self.rule)),
        }[kind].exists()

    def deletions(self, kind):
        """How often PurelyMail was told to delete."""
        return self.purelymail.calls[DELETES[kind]]


def populate(purelymail):
    """Fill account and copy."""
    account = purelymail.state
    for name in (DOMAIN, OTHER_DOMAIN):
        account.add_domain(name)
        DomainFactory(name=name)
    for address in (MARA, f"otto@{DOMAIN}", f"otto@{OTHER_DOMAIN}"):
        account.add_user(address)
        MailboxFactory(address=address)
    rules = [account.add_rule(name, "info", f"otto@{name}") for name in (DOMAIN, OTHER_DOMAIN)]
    for rule in rules:
        RoutingRuleFactory(
            purelymail_id=rule.id,
            domain=Domain.objects.get(name=rule.domain),
            match_user=rule.match_user,
            targets=rule.targets,
        )
    return World(purelymail, str(rules[0].id))


def schedule(world, kind, *, key=None, due_in=timedelta(0)):
    """As the service does it, but with another hour."""
    resource = deletable(kind)
    key = key or world.key(kind)
    due_at = timezone.now() + due_in
    return PendingDeletion.objects.create(
        kind=kind,
        key=key,
        label=resource.label(key),
        identity=resource.identity(key),
        dossier=resource.facts(key),
        dossier_read_at=timezone.now(),
        requested_by_name="Adam",
        requested_at=due_at - DELAY,
        due_at=due_at,
    )


def lapse(deletion):
    """Its worker was away for longer than its lease."""
    PendingDeletion.objects.filter(pk=deletion.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def try_again():
    """The pause after a try is over."""
    PendingDeletion.objects.update(try_after=None)


def counting_effects(monkeypatch):
    """How often each deletion took effect at the simulator, by operation."""
    effects = Counter()

    def counted(name, operation):
        def run(account, body):
            result = operation(account, body)
            effects[name] += 1
            return result

        return run

    for name in DELETES.values():
        monkeypatch.setitem(OPERATIONS, name, counted(name, OPERATIONS[name]))
    return effects


def run(deletion):
    run_due()
    deletion.refresh_from_db()
    return deletion


@contextmanager
def another_kind(kind, **changes):
    """The registered kind with other functions."""
    before = registry.deletable(kind)
    registry.register_deletable(replace(before, **changes))
    try:
        yield
    finally:
        registry.register_deletable(before)


def as_another_row(kind, world):
    """The copy saw it vanish and come back."""
    rows = Mailbox.objects.filter(address=MARA)
    if kind == DeletionKind.DOMAIN:
        rows = Domain.objects.filter(name=DOMAIN)
    rows.delete()
    MailboxFactory(address=MARA)
