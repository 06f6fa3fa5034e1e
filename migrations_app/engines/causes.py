"""Why a run ended as it did: one name per cause, the same for every engine."""

from __future__ import annotations

from typing import Literal

from django.db import models
from django.utils.translation import gettext_lazy as _


class Cause(models.TextChoices):
    """Causes of a failed or incomplete run."""

    SOURCE_PASSWORD = "source_password", _("Wrong source password")
    DESTINATION_PASSWORD = "destination_password", _("Wrong destination password")
    SOURCE_HOST = "source_host", _("Unknown source host")
    DESTINATION_HOST = "destination_host", _("Unknown destination host")
    SOURCE_UNREACHABLE = "source_unreachable", _("Source not reachable")
    DESTINATION_UNREACHABLE = "destination_unreachable", _("Destination not reachable")
    SOURCE_CERTIFICATE = "source_certificate", _("Source certificate not trusted")
    DESTINATION_CERTIFICATE = "destination_certificate", _("Destination certificate not trusted")
    SOURCE_TLS = "source_tls", _("Source security setting does not fit")
    DESTINATION_TLS = "destination_tls", _("Destination security setting does not fit")
    SOURCE_BUSY = "source_busy", _("Too many connections to the source")
    DESTINATION_BUSY = "destination_busy", _("Too many connections to the destination")
    SOURCE_THROTTLED = "source_throttled", _("Throttled by the source")
    DESTINATION_THROTTLED = "destination_throttled", _("Throttled by the destination")
    SOURCE_LOST = "source_lost", _("Connection to the source lost")
    DESTINATION_LOST = "destination_lost", _("Connection to the destination lost")
    SIGN_IN_REFUSED = "sign_in_refused", _("Sign-in refused")
    NO_TLS = "no_tls", _("Security setting does not fit")
    CONNECTION_LOST = "connection_lost", _("Connection lost")
    BUDGET_SPENT = "budget_spent", _("Volume of the day used up")
    DESTINATION_FULL = "destination_full", _("Destination full")
    MESSAGES_TOO_LARGE = "messages_too_large", _("Messages too large for the destination")
    MESSAGES_REFUSED = "messages_refused", _("Messages refused by the destination")
    MESSAGES_UNREADABLE = "messages_unreadable", _("Messages unreadable at the source")
    MESSAGES_MISSING = "messages_missing", _("Messages missing at the destination")
    FOLDERS_REFUSED = "folders_refused", _("Folders refused")
    FLAGS_REFUSED = "flags_refused", _("Flags refused by the destination")
    ALREADY_RUNNING = "already_running", _("Another run is active")
    PASSWORDS_ERASED = "passwords_erased", _("Passwords erased")
    KEY_MISSING = "key_missing", _("Stored passwords do not open")
    NO_APP_PASSWORD = "no_app_password", _("No temporary app password")
    PURELYMAIL_SILENT = "purelymail_silent", _("No answer from PurelyMail")
    ENGINE_SETTINGS = "engine_settings", _("Engine refused its settings")
    ENGINE_MISSING = "engine_missing", _("Engine not installed")
    ENGINE_CRASHED = "engine_crashed", _("Engine stopped unexpectedly")
    WORKER_HOST = "worker_host", _("Trouble of the worker host")
    WORKER_CRASHED = "worker_crashed", _("Worker failed unexpectedly")
    STOPPED = "stopped", _("Stopped by a signal")
    UNKNOWN = "unknown", _("Unknown")

    @property
    def end(self) -> Literal["source", "destination"] | None:
        """The end it speaks of, where it speaks of the server there and not of messages."""
        if self.value.startswith("source_"):
            return "source"
        if self is Cause.PURELYMAIL_SILENT:
            return "destination"
        if self.value.startswith("destination_") and self is not Cause.DESTINATION_FULL:
            return "destination"
        return None
