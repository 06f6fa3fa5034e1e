"""The account: its credit. No other billing operation exists."""

from __future__ import annotations

from decimal import Decimal

from purelymanage.purelymail import replies
from purelymanage.purelymail.operations.base import Operations


class AccountOperations(Operations):
    """What concerns the account as a whole."""

    def check_account_credit(self) -> Decimal:
        """What is left on the account, with every digit PurelyMail tells."""
        return replies.amount(self._read("checkAccountCredit"), "credit")
