"""The ownership code: one for the whole account, published in the DNS of every domain."""

from __future__ import annotations

from django.utils import timezone

from audit.actions import Action
from audit.services import audited
from domains.copy import Changes, refreshing
from domains.models import Kind, PurelyMailAccount
from purelymanage.purelymail.client import get_client


def ownership_code() -> str:
    """As last read; empty if it never was."""
    account = PurelyMailAccount.objects.first()
    return account.ownership_code if account else ""


def read_ownership_code() -> str:
    """Ask PurelyMail for it, and keep it, because somebody wants it now."""
    with audited(Action.COPY_REFRESHED, target=Kind.OWNERSHIP.label):
        return _read()


def refresh_ownership_code() -> Changes:
    """As every part of the copy is refreshed. The code does not change while the account lives."""
    known = ownership_code()
    is_new = _read() != known
    return Changes(added=int(is_new and not known), changed=int(is_new and bool(known)))


def _read() -> str:
    with refreshing(Kind.OWNERSHIP):
        code = get_client().get_ownership_code()
        facts = {"ownership_code": code, "read_at": timezone.now()}
        PurelyMailAccount.objects.update_or_create(pk=1, defaults=facts)
    return code
