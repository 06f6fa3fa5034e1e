"""A small account at the simulated PurelyMail."""

from __future__ import annotations

import pytest


@pytest.fixture
def account(purelymail):
    purelymail.state.add_domain("lindenhof.example")
    purelymail.state.add_domain("shop.example", spf=False)
    purelymail.state.add_user("mara@lindenhof.example")
    purelymail.state.add_rule("lindenhof.example", "info", "mara@lindenhof.example")
    return purelymail
