"""What an error report may tell: where it broke, never what was typed or held in memory."""

from __future__ import annotations

import re
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.utils.log import AdminEmailHandler
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from purelymanage.core.redaction import redact

MORE_HIDDEN_SETTINGS = "NOTIFY_URLS|DATABASE_URL|EMAIL_URL"


class ErrorReportFilter(SafeExceptionReporterFilter):
    """Stars for every value of a form and every local variable, also where DEBUG is on.

    Django hides what decorated views name, but a password passes through many functions.
    """

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|{MORE_HIDDEN_SETTINGS}", re.I
    )

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request else {}

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> Any:
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()

    def get_safe_cookies(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.COOKIES, self.cleansed_substitute) if request else {}


class ErrorReporter(ExceptionReporter):
    """What an exception says of itself, and the lines of code around it, pass the redaction too."""

    def get_traceback_html(self) -> SafeString:
        return mark_safe(redact(super().get_traceback_html()))  # noqa: S308  # nosec B703  # escaped by Django

    def get_traceback_text(self) -> SafeString:
        return mark_safe(redact(super().get_traceback_text()))  # noqa: S308  # nosec B703  # plain text


class CrashMailHandler(AdminEmailHandler):
    """Django's mail about a crash; its subject has the path of the request."""

    def format_subject(self, subject: str) -> str:
        return redact(super().format_subject(subject))
