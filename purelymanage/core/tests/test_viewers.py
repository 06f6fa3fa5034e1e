"""A viewer reads every page and changes nothing but what is their own."""

from __future__ import annotations

import pytest

from purelymanage.tests.test_urls import ALL, GUARDED_BY_ALLAUTH, PUBLIC, example

OWN = {"accounts:settings", "ui:theme", "ui:keys"}
"""One's own name, and looks kept in one's own browser."""
GUARDED = [
    (name, example(route))
    for name, route, _pattern in ALL
    if name not in PUBLIC | GUARDED_BY_ALLAUTH
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "url"), GUARDED, ids=[url for _, url in GUARDED])
def test_a_viewer_sends_nothing_that_changes_anything(viewer_client, name, url):
    allowed = {200, 204, 302, 303, 422} if name in OWN else {403, 405}
    assert viewer_client.post(url).status_code in allowed
