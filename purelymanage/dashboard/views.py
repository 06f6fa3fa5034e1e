"""The home page, health checks and error pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that came without our cookie, or from another site."""
    return render(request, "403_csrf.html", status=403)
