"""Every action that can stand in the audit log, with the sentence that tells it.

`{target}` is what it was done to. A test fails when an action has no sentence.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """Verb by verb what people, tasks and campaign visitors can change."""

    # People
    OWNER_CREATED = "owner.created", _("set up the panel with {target} as its owner")
    SIGNED_IN = "session.signed_in", _("signed in")
    SIGN_IN_FAILED = "session.sign_in_failed", _("could not sign in as {target}")
    SIGNED_OUT = "session.signed_out", _("signed out")
    PASSWORD_CHANGED = "account.password_changed", _("changed their own password")
    PASSWORD_RESET = "account.password_reset", _("reset their own password by mail")
    PROFILE_CHANGED = "account.changed", _("changed their own account")
    PERSON_ADDED = "person.added", _("added {target} to the panel")
    PERSON_CHANGED = "person.changed", _("changed the role of {target}")
    PERSON_REMOVED = "person.removed", _("removed {target} from the panel")
    PERSON_RESTORED = "person.restored", _("let {target} sign in again")

    # PurelyMail
    COPY_REFRESHED = "purelymail.refreshed", _("refreshed the local copy")
    CONNECTION_TESTED = "purelymail.tested", _("tested the connection to PurelyMail")
    DRIFT_FOUND = "purelymail.drift", _("found that {target} changed outside the panel")
    DRIFT_APPEARED = "purelymail.appeared", _("found that {target} appeared outside the panel")
    DRIFT_VANISHED = "purelymail.vanished", _("found that {target} vanished outside the panel")

    # Mailboxes
    MAILBOX_CREATED = "mailbox.created", _("created the mailbox {target}")
    MAILBOX_PASSWORD_RESET = "mailbox.password_reset", _("set a new password for {target}")

    # Migrations
    SERVER_CREATED = "server.created", _("added the server {target}")
    SERVER_CHANGED = "server.changed", _("changed the server {target}")
    SERVER_DELETED = "server.deleted", _("deleted the server {target}")
    SERVER_TESTED = "server.tested", _("tried to sign in: {target}")
    JOB_CREATED = "job.created", _("created the migration job {target}")
    JOB_CHANGED = "job.changed", _("changed the migration job {target}")
    JOB_QUEUED = "job.queued", _("queued the migration job {target}")
    JOB_STARTED = "job.started", _("ran the migration job {target}")
    JOB_CANCELLED = "job.cancelled", _("cancelled the migration job {target}")
    JOB_INTERRUPTED = "job.interrupted", _("found the migration job {target} interrupted")
    JOB_DELETED = "job.deleted", _("deleted the migration job {target}")
    CREDENTIALS_ERASED = "job.credentials_erased", _("erased the stored passwords of {target}")
    LIMIT_CHANGED = "settings.limit_changed", _("changed the migration limit")


LASTING = {Action.JOB_STARTED}
"""Actions that run for hours: on record from their start, without an outcome until they end."""
