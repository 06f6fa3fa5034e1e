"""The ownership code: one for the whole account, published in the DNS of every domain."""

from __future__ import annotations

from django.utils import timezone

from domains.models import PurelyMailAccount
from purelymanage.purelymail.client import get_client


def ownership_code() -> str:
    """As last read; empty if it never was."""
    account = PurelyMailAccount.objects.first()
    return account.ownership_code if account else ""


def read_ownership_code() -> str:
    """Ask PurelyMail for it, and keep it."""
    code = get_client().get_ownership_code()
    PurelyMailAccount.objects.update_or_create(
        pk=1, defaults={"ownership_code": code, "read_at": timezone.now()}
    )
    return code
