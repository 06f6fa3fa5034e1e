"""The history of the account's credit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from domains.copy import Changes, refreshing
from domains.models import CreditReading, Kind
from purelymanage.core.errors import UnavailableError
from purelymanage.purelymail.client import get_client

CREDIT_DIGITS = Decimal("0.00000001")
MAX_CREDIT = Decimal(10) ** 11
CREDIT_KEPT = timedelta(days=400)


def read_credit() -> Changes:
    """Add what the account holds now to its history."""
    with refreshing(Kind.CREDIT):
        credit = get_client().check_account_credit()
        if not credit.is_finite() or abs(credit) >= MAX_CREDIT:
            raise UnavailableError(_("PurelyMail answered with a credit that is not an amount."))
        now = timezone.now()
        CreditReading.objects.create(at=now, credit=credit.quantize(CREDIT_DIGITS))
        CreditReading.objects.filter(at__lt=now - CREDIT_KEPT).delete()
        return Changes(added=1)
