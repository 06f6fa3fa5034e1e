"""Headers, the acting person, and our own errors as answers."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from purelymanage.core.context import Actor, acting_as, person
from purelymanage.core.errors import PurelyManageError
from purelymanage.core.hosts import parse_ip

GetResponse = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


OTHER_HEADERS = {
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Cache-Control": "private, no-cache",
}


class ForwardedMiddleware:
    """Forgets X-Forwarded-Proto unless a proxy that TRUSTED_PROXIES names has sent it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_trusted(str(request.META.get("REMOTE_ADDR") or "")):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)


class SecurityHeadersMiddleware:
    """What Django's own security middleware does not set."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = "Content-Security-Policy"
        if settings.CSP_REPORT_ONLY:
            policy += "-Report-Only"
        for name, value in {policy: CONTENT_SECURITY_POLICY, **OTHER_HEADERS}.items():
            response.headers.setdefault(name, value)
        return response


class ContextMiddleware:
    """Says on whose behalf the request runs, for the audit log."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = client_address(request)
        actor = Actor(kind="person", name="anonymous", address=address)
        if request.user.is_authenticated:
            session = request.session
            actor = person(
                request.user,
                address=address,
                may_act=lambda: session.exists(str(session.session_key)),
            )
        with acting_as(actor):
            return self.get_response(request)


class ErrorMiddleware:
    """Shows an error of ours that no form caught: a page with the sentence, and its status."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, PurelyManageError):
            return None
        if getattr(request, "htmx", False):
            messages.error(request, error.message)
            return HttpResponse(status=error.status, headers={"HX-Reswap": "none"})
        return render(request, "error.html", {"error": error}, status=error.status)


def client_address(request: HttpRequest) -> str:
    """The client's address; proxies are believed only where TRUSTED_PROXIES names them.

    Empty when the web server's own socket gives none, or a proxy passes on something else.
    """
    address = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    while is_trusted(address) and forwarded and forwarded[-1]:
        address = forwarded.pop()
    return str(parsed) if (parsed := parse_ip(address)) else ""


def is_trusted(address: str) -> bool:
    """Whether TRUSTED_PROXIES names it: an address, a network, or `unix` for a socket file."""
    if not address:
        return "unix" in settings.TRUSTED_PROXIES
    parsed = parse_ip(address)
    return parsed is not None and any(
        parsed in ip_network(entry) for entry in settings.TRUSTED_PROXIES if entry != "unix"
    )
