"""What an error report may tell: where it broke, never what was typed or held in memory."""

from __future__ import annotations

import re
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

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
