"""The room that the outermost middleware sets aside."""

from __future__ import annotations

import sys

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from purelymanage.core.stack import SLOTS, roomy

pytestmark = pytest.mark.once


def test_what_is_answered_below_has_room_behind_its_frame():
    frames = []

    def view(_request):
        frames.append(sys._getframe(1).f_code)  # the frame that set the room aside
        return HttpResponse("fine")

    assert roomy(view)(RequestFactory().get("/")).content == b"fine"
    assert frames[0].co_stacksize == SLOTS


def test_two_of_them_do_not_share_what_they_call():
    first, second = (
        roomy(lambda _request: HttpResponse("1")),
        roomy(lambda _request: HttpResponse("2")),
    )
    request = RequestFactory().get("/")
    assert (first(request).content, second(request).content) == (b"1", b"2")
