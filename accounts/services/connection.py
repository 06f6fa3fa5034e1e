"""Does PurelyMail answer?"""

from __future__ import annotations

from decimal import Decimal

from audit.actions import Action
from audit.services import audited
from purelymanage.purelymail.client import get_client


def check_connection() -> Decimal:
    """Ask PurelyMail for the account's credit: the cheapest question that needs the token."""
    with audited(Action.CONNECTION_TESTED) as change:
        credit = get_client().check_account_credit()
        change.after["credit"] = f"{credit:.2f} USD"
    return credit
