"""Messages as toasts: htmx answers carry them in a header (built in the ui app)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ToastMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
