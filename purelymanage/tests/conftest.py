"""What the tests of the whole site share."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from purelymanage.tests.audited.world import World


@pytest.fixture
def world(purelymail, dns, settings, owner, admin, viewer):
    """A small panel to change things in; see `audited/world.py`."""
    settings.DEMO = True
    settings.DEMO_OLD_PORT, settings.DEMO_NEW_PORT = 1143, 2143
    cache.clear()
    return World(purelymail, dns, {"owner": owner, "admin": admin, "viewer": viewer})
