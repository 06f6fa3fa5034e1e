"""Every action that can stand in the audit log, with the sentence that tells it.

`{target}` is what it was done to. A test fails when an action has no sentence.
"""

from __future__ import annotations

from functools import cache

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """Verb by verb what people, tasks and campaign visitors can change."""

    # People
    OWNER_CREATED = "owner.created", _("set up the panel with {target} as its owner")
    SIGNED_IN = "session.signed_in", _("signed in")
    SIGN_IN_FAILED = "session.sign_in_failed", _("could not sign in as {target}")
    ATTEMPTS_LIMITED = "session.limited", _("had to wait after too many attempts: {target}")
    FAILURES_LEFT_OUT = (
        "session.failures_left_out",
        _("failed so often in an hour that the rest of it is not on record"),
    )
    SIGNED_OUT = "session.signed_out", _("signed out")
    SESSION_ENDED = "session.ended", _("ended a session of {target}")
    SESSIONS_ENDED = "session.others_ended", _("ended the sessions of {target}")
    IDENTITY_CONFIRMED = "session.confirmed", _("confirmed who they are")
    IDENTITY_NOT_CONFIRMED = "session.confirm_failed", _("could not confirm to be {target}")
    PASSWORD_CHANGED = "account.password_changed", _("changed their own password")
    PASSWORD_RESET = "account.password_reset", _("reset their own password by mail")
    PASSWORD_SET = "account.password_set", _("set a new password for {target} on the server")
    RESET_LINK_SENT = "account.reset_link_sent", _("mailed {target} a link for a new password")
    PROFILE_CHANGED = "account.changed", _("changed their own account")
    FACTOR_ADDED = "factor.added", _("added a second factor: {target}")
    FACTOR_REMOVED = "factor.removed", _("removed a second factor: {target}")
    FACTOR_RENAMED = "factor.renamed", _("renamed a second factor: {target}")
    FACTOR_FAILED = "factor.failed", _("showed a wrong second factor for {target}")
    RECOVERY_CODE_USED = "factor.code_used", _("used a recovery code of {target}")
    RECOVERY_CODES_MADE = "factor.codes_made", _("made new recovery codes")
    FACTORS_RESET = "factor.reset", _("reset the second factors of {target}")
    FACTOR_DEMANDED = "policy.factor_demanded", _("demanded a second factor of everybody")
    FACTOR_LEFT_OPEN = "policy.factor_left_open", _("no longer demands a second factor")
    NOTIFICATIONS_TESTED = "notifications.tested", _("sent a test of the notifications")
    KEYS_ROTATED = "keys.rotated", _("sealed the stored secrets with the current key")
    PERSON_INVITED = "person.invited", _("invited {target} to the panel")
    INVITATION_SENT = "person.invitation_sent", _("mailed {target} their invitation")
    INVITATION_REVOKED = "person.invitation_revoked", _("revoked the invitation of {target}")
    PERSON_JOINED = "person.joined", _("accepted the invitation of {target}")
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
    MAILBOX_CHANGED = "mailbox.changed", _("changed the settings of {target}")
    MAILBOX_RENAMED = "mailbox.renamed", _("renamed the mailbox {target}")
    RECOVERY_SAVED = "recovery.saved", _("saved a recovery method of {target}")
    RECOVERY_REMOVED = "recovery.removed", _("removed a recovery method of {target}")
    APP_PASSWORD_CREATED = "app_password.created", _("created an app password for {target}")
    APP_PASSWORD_REVOKED = "app_password.revoked", _("revoked an app password of {target}")
    APP_PASSWORD_SETTLED = (
        "app_password.settled",
        _("noted that an app password of {target} needs no revoking any more"),
    )
    MAILBOXES_EXPORTED = "mailboxes.exported", _("exported a list of mailboxes")
    BATCH_PREPARED = "batch.prepared", _("prepared work on many mailboxes: {target}")
    BATCH_DISCARDED = "batch.discarded", _("threw away prepared work on many mailboxes: {target}")
    BATCH_STARTED = "batch.started", _("started work on many mailboxes: {target}")
    BATCH_CONTINUED = "batch.continued", _("let work on many mailboxes go on: {target}")
    BATCH_CANCELLED = "batch.cancelled", _("cancelled work on many mailboxes: {target}")
    BATCH_DOWNLOADED = "batch.downloaded", _("downloaded the new passwords of {target}")

    # Domains
    DOMAIN_ADDED = "domain.added", _("added the domain {target}")
    DOMAIN_CHANGED = "domain.changed", _("changed the settings of {target}")
    DOMAIN_RECHECKED = "domain.rechecked", _("asked for a check of the DNS of {target}")
    DEVIATION_ACCEPTED = "dns.accepted", _("accepted a DNS record that differs: {target}")
    DEVIATION_WITHDRAWN = "dns.withdrawn", _("no longer accepts a DNS record: {target}")

    # Routing
    RULE_CREATED = "rule.created", _("created the routing rule {target}")
    RULE_CHANGED = "rule.changed", _("changed the routing rule {target}")

    # Deletions
    DELETION_SCHEDULED = "deletion.scheduled", _("scheduled the deletion of {target}")
    DELETION_CANCELLED = "deletion.cancelled", _("cancelled the deletion of {target}")
    DELETION_EXECUTED = "deletion.executed", _("deleted {target}")
    DELETION_FOUND_GONE = "deletion.found_gone", _("was to delete {target}, which was gone already")
    DELETION_GIVEN_UP = "deletion.given_up", _("gave up the deletion of {target}")
    DELETION_ALARM = "deletion.alarm", _("found that {target} queued many deletions")
    PERSON_FROZEN = "person.frozen", _("froze {target}: deletions cancelled, sessions ended")
    PERSON_UNFROZEN = "person.unfrozen", _("undid the freeze of {target}")

    # Migrations
    SERVER_CREATED = "server.created", _("added the server {target}")
    SERVER_CHANGED = "server.changed", _("changed the server {target}")
    SERVER_DELETED = "server.deleted", _("deleted the server {target}")
    SERVER_TESTED = "server.tested", _("tried to sign in: {target}")
    MIGRATIONS_PREPARED = "migrations.prepared", _("prepared the migrations of {target}")
    MIGRATIONS_IMPORTED = "migrations.imported", _("had the migrations of {target} imported")
    MIGRATIONS_IMPORT_STOPPED = (
        "migrations.import_stopped",
        _("stopped the import of the migrations of {target}"),
    )
    MIGRATIONS_DISCARDED = (
        "migrations.discarded",
        _("threw away the prepared migrations of {target}"),
    )
    MIGRATIONS_PAUSED = "migrations.paused", _("paused the migrations of {target}")
    MIGRATIONS_HELD = "migrations.held", _("held the migrations of {target} back for a while")
    MIGRATIONS_RESUMED = "migrations.resumed", _("let the migrations of {target} go on")
    MIGRATIONS_SCHEDULED = "migrations.scheduled", _("set when {target} starts")
    MIGRATIONS_EXPORTED = (
        "migrations.exported",
        _("exported the report on the migrations of {target}"),
    )
    MIGRATIONS_DELETED = "migrations.deleted", _("deleted the batch of migrations {target}")
    MIGRATIONS_BULK = "migrations.bulk", _("started work on many migration jobs: {target}")
    MIGRATIONS_BULK_STOPPED = (
        "migrations.bulk_stopped",
        _("stopped work on many migration jobs: {target}"),
    )
    MIGRATIONS_REPEATED = "migrations.repeated", _("set how often {target} is copied again")
    MIGRATIONS_SYNCED_FINALLY = (
        "migrations.synced_finally",
        _("had {target} copied for the last time"),
    )
    CUT_OVER_BEGUN = "cut_over.begun", _("began the cut-over of {target}")
    CUT_OVER_ADVANCED = "cut_over.advanced", _("took the cut-over of {target} a step on")
    CUT_OVER_STOPPED = "cut_over.stopped", _("stopped the cut-over of {target}")
    CUT_OVER_RESUMED = "cut_over.resumed", _("let the cut-over of {target} go on")
    JOB_CREATED = "job.created", _("created the migration job {target}")
    JOB_CHANGED = "job.changed", _("changed the migration job {target}")
    JOB_QUEUED = "job.queued", _("queued the migration job {target}")
    JOB_REPEATED = "job.repeated", _("set how often the migration job {target} runs again")
    JOB_SYNCED_FINALLY = (
        "job.synced_finally",
        _("had the migration job {target} run for the last time"),
    )
    JOB_HURRIED = "job.hurried", _("had the migration job {target} start without further waiting")
    JOB_STARTED = "job.started", _("ran the migration job {target}")
    JOB_CANCELLED = "job.cancelled", _("cancelled the migration job {target}")
    JOB_INTERRUPTED = "job.interrupted", _("found the migration job {target} interrupted")
    JOB_EXPORTED = "job.exported", _("exported the report on the migration job {target}")
    JOB_DELETED = "job.deleted", _("deleted the migration job {target}")
    JOBS_CHECKED = "job.checked", _("had a look at both mailboxes before copying: {target}")
    CHECKS_STOPPED = "job.check_stopped", _("stopped looking at mailboxes before copying: {target}")
    CREDENTIALS_ERASED = "job.credentials_erased", _("erased the stored passwords of {target}")
    LIMIT_CHANGED = "settings.limit_changed", _("changed the migration limit")
    HOST_LIMITED = "host.limited", _("set how gently {target} is read from")
    HOST_FREED = "host.freed", _("took the limits off the host {target}")
    HOST_OPENED = "host.opened", _("let migrations read from {target} again")
    WORKER_DRAINED = "worker.drained", _("let the worker host {target} take no more migrations")
    WORKER_RESUMED = "worker.resumed", _("let the worker host {target} take migrations again")
    HOST_CLOSED = "host.closed", _("let no more migrations read from {target} for a while")

    # The audit log itself
    AUDIT_EXPORTED = "audit.exported", _("exported the audit log")
    AUDIT_CUT = "audit.cut", _("removed old entries of the audit log")
    AUDIT_BROKEN = "audit.broken", _("found the audit log tampered with: {target}")


SUBJECTS = {
    _("People"): ("owner", "session", "account", "factor", "person"),
    _("Panel"): ("policy", "keys", "notifications"),
    _("PurelyMail"): ("purelymail",),
    _("Mailboxes"): ("mailbox", "mailboxes", "recovery", "app_password", "batch"),
    _("Domains"): ("domain", "dns"),
    _("Routing"): ("rule",),
    _("Deletions"): ("deletion",),
    _("Migrations"): ("server", "host", "worker", "migrations", "job", "cut_over", "settings"),
    _("Audit log"): ("audit",),
}
"""What actions are about, and how the names of those begin: up to their dot."""

UNNAMED = "…"
"""Stands where the target goes, if there is none."""

DRIFT = {Action.DRIFT_FOUND, Action.DRIFT_APPEARED, Action.DRIFT_VANISHED}
"""What is somebody else's work, found by a refresh."""

LASTING = {Action.JOB_STARTED}
"""Actions that run for hours: on record from their start, without an outcome until they end."""


def tell(action: str, target: str) -> str:
    """What was done, to follow the actor's name. An action we no longer know stays readable."""
    try:
        sentence = str(Action(action).label)
    except ValueError:
        return f"{action} {target}".strip()
    return sentence.format(target=target or UNNAMED)


def by_subject() -> list[tuple[str, list[tuple[str, str]]]]:
    """All actions to choose from, as `(subject, [(name, sentence)])`."""
    return _by_subject(get_language())


@cache
def _by_subject(_language: str | None) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (str(subject), [(name, _titled(tell(name, ""))) for name in _beginning(beginnings)])
        for subject, beginnings in SUBJECTS.items()
    ]


def _beginning(beginnings: tuple[str, ...]) -> list[str]:
    return [name for name in Action.values if name.partition(".")[0] in beginnings]


def _titled(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
