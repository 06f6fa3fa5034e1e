from __future__ import annotations

import pytest

from domains.tests.factories import DomainFactory
from mailboxes.batches.tests.helpers import DOMAIN


@pytest.fixture
def domain(db, purelymail):
    purelymail.state.add_domain(DOMAIN)
    return DomainFactory(name=DOMAIN)
