"""What the tests of mailboxes share."""

from __future__ import annotations

import pytest

from domains.tests.factories import DomainFactory
from mailboxes.tests.factories import MailboxFactory
from mailboxes.tests.pages import DOMAIN, LEA


@pytest.fixture
def domain(purelymail):
    """One of our domains, here and at PurelyMail."""
    purelymail.state.add_domain(DOMAIN)
    return DomainFactory(name=DOMAIN)


@pytest.fixture
def user(purelymail, domain):
    """A mailbox as PurelyMail has it."""
    return purelymail.state.add_user(LEA, password="the old one")


@pytest.fixture
def mailbox(user):
    """The same mailbox in the copy."""
    return MailboxFactory(address=LEA)
