"""App passwords of destination mailboxes, each made for one run and revoked after it.

The row is written before PurelyMail is asked, and the secret into it at once: PurelyMail tells it
only once, lists none, and revokes one only for whoever still knows it. So a row without its secret
is a call whose end nobody saw, which a person has to look after; every other row is revoked by a
worker as soon as its run is over, however that ended.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, Error, connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from mailboxes.models import Mailbox
from mailboxes.services.presence import known_there
from migrations_app.engines.plan import Endpoint, SecurityName
from migrations_app.imap.presets import is_purelymail
from migrations_app.imap.survey import lets_in
from migrations_app.models import MigrationJob, State, TemporaryPassword
from migrations_app.selectors.temporary_passwords import unsettled
from purelymanage.core.addresses import shown_address
from purelymanage.core.context import SYSTEM, acting_as
from purelymanage.core.errors import (
    MissingError,
    PurelyManageError,
    RefusedError,
    UnavailableError,
)
from purelymanage.crypto import DecryptionError
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.queue import enqueue
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import (
    ApiRefusedError,
    InvalidTokenError,
    UnknownOutcomeError,
)

logger = logging.getLogger(__name__)

REVOKE = "migrations_app.tasks.revoke_passwords"
SWEEP_SECONDS = 50.0
"""After so long a sweep begins no further try: the next one is due."""
TRY_SECONDS = 300.0
"""Longer than one try can take; until then it is nobody else's."""
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0
MOST_DOUBLINGS = 6
KEPT_FOR = timedelta(days=30)
"""How long the record of a revoked one is kept beside the audit log."""
MAX_PROBLEM = 500


def refuse_impossible(*, host: str, port: int, address: str) -> None:
    """Only a mailbox of ours can have one, and only PurelyMail takes it."""
    if not is_purelymail(host, port):
        raise RefusedError(
            _(
                "A temporary app password works at PurelyMail only. Choose its server as the "
                "destination, or enter the destination password."
            ),
            field="destination_server",
        )
    if not _is_listed(address.lower()):
        raise RefusedError(
            _(
                "%(address)s is no mailbox of yours, so no app password can be made for it. "
                "Create the mailbox first, or enter the destination password."
            )
            % {"address": shown_address(address)},
            field="destination_address",
        )


def make(job: MigrationJob) -> str:
    """A new app password for the run that `job` is in. Raises what PurelyMail says against it.

    While PurelyMail is silent already, nothing is asked for whose end nobody would see.
    """
    address = job.destination_address.lower()
    refuse_impossible(host=job.destination_host, port=job.destination_port, address=address)
    with known_there(address):
        get_client().get_user(address=address)
    row = TemporaryPassword.objects.create(job=job, run=job.run, address=address)
    facts = {"job": str(job), "run": job.run}
    with audited(Action.APP_PASSWORD_CREATED, target=address, after=facts):
        try:
            with known_there(address):
                secret = get_client().create_app_password(address=address, name=row.name)
        except UnknownOutcomeError as error:
            TemporaryPassword.objects.filter(pk=row.pk).update(problem=error.message[:MAX_PROBLEM])
            raise
        except PurelyManageError:  # it was not made, as the audit log says
            row.delete()
            raise
        _store(row, secret)
    return secret


def _store(row: TemporaryPassword, secret: str) -> None:
    """What cannot be stored could not be revoked later, so it is revoked now.

    One that a person gave up meanwhile is to be revoked all the same.
    """
    row.secret = secret
    row.made_at = timezone.now()
    try:
        _save(row)
    except Error:
        get_client().delete_app_password(address=row.address, app_password=secret)
        raise


def _save(row: TemporaryPassword) -> None:
    """While PurelyMail was asked, the connection may have broken; then over a new one."""
    columns = ["secret", "made_at", "revoked_at"]
    try:
        row.save(update_fields=columns)
    except Error:
        connection.close()
        row.save(update_fields=columns)


def revoke_soon() -> None:
    """Have a worker look whether one is to be revoked; if that fails, one does by the clock."""
    try:
        enqueue(REVOKE)
    except DatabaseError as error:
        logger.warning("Nobody was told to revoke app passwords: %s", type(error).__name__)


def revoke_due(*, seconds: float = SWEEP_SECONDS) -> None:
    """Revoke those whose run is over. While PurelyMail does not answer, one question is enough."""
    give_up_at = time.monotonic() + seconds
    with acting_as(SYSTEM):
        while time.monotonic() < give_up_at and (row := _claim()):
            if not _revoke(row):
                break
    TemporaryPassword.objects.filter(
        revoked_at__lt=seconds_from_now(-KEPT_FOR.total_seconds())
    ).delete()


def due() -> QuerySet[TemporaryPassword]:
    """Those to be revoked now, the longest waiting first."""
    in_use = MigrationJob.objects.filter(
        pk=OuterRef("job_id"), run=OuterRef("run"), state=State.RUNNING
    )
    return (
        TemporaryPassword.objects.filter(revoked_at=None)
        .exclude(secret="")
        .filter(Q(try_after=None) | Q(try_after__lte=Now()))
        .exclude(Exists(in_use))
        .order_by(F("try_after").asc(nulls_first=True), "pk")
    )


def _claim() -> TemporaryPassword | None:
    """Take one for a try that nobody else makes meanwhile."""
    while row := due().select_related("job").first():
        mine = due().filter(pk=row.pk, tries=row.tries)
        if mine.update(tries=F("tries") + 1, try_after=seconds_from_now(TRY_SECONDS)):
            row.tries += 1
            return row
    return None


def _revoke(row: TemporaryPassword) -> bool:
    """However it ends, the row says so. False where PurelyMail answers nobody at the moment."""
    facts = {"run": row.run, "tries": row.tries}
    try:
        with audited(Action.APP_PASSWORD_REVOKED, target=row.address, after=facts):
            _end(row, row.secret.reveal())
    except (UnknownOutcomeError, DecryptionError) as error:
        _put_off(row, error.message)
    except (UnavailableError, InvalidTokenError) as error:
        _put_off(row, error.message, pause=getattr(error, "retry_after", 0.0))
        return False
    except PurelyManageError as error:
        _put_off(row, error.message)
    else:
        _forget(TemporaryPassword.objects.filter(pk=row.pk, address=row.address))
    return True


def _end(row: TemporaryPassword, secret: str) -> None:
    """Have PurelyMail forget it. Where its answer says nothing, its IMAP server is asked.

    A refusal is no proof: an earlier call may have worked, and then PurelyMail knows it no more.
    Nor is a mailbox that it does not know: it may be renamed just now, or be another account's.
    """
    try:
        get_client().delete_app_password(address=row.address, app_password=secret)
    except MissingError:
        if _is_listed(row.address) or lets_in(_purelymail(row.address), secret) is not False:
            raise
        logger.info("%s is gone, and its app passwords with it", row.address)
    except InvalidTokenError:
        raise
    except (UnknownOutcomeError, ApiRefusedError):
        if lets_in(_purelymail(row.address), secret) is not False:
            raise


def _is_listed(address: str) -> bool:
    return Mailbox.objects.filter(address=address).exists()


def _purelymail(address: str) -> Endpoint:
    place = urlsplit(settings.PURELYMAIL_IMAP_URL)
    security: SecurityName = "tls" if place.scheme == "imaps" else "none"
    return Endpoint(place.hostname or "", place.port or 993, security, address)


def _put_off(row: TemporaryPassword, problem: str, *, pause: float = 0.0) -> None:
    """Try again after a pause that doubles up to an hour; that never ends by itself."""
    doubled = FIRST_PAUSE * 2.0 ** min(row.tries - 1, MOST_DOUBLINGS)
    wanted = min(max(doubled, pause), LONGEST_PAUSE)
    logger.warning("An app password of %s is tried again in %.0f s", row.address, wanted)
    TemporaryPassword.objects.filter(pk=row.pk, revoked_at=None).update(
        try_after=seconds_from_now(wanted), problem=problem[:MAX_PROBLEM]
    )


def _forget(rows: QuerySet[TemporaryPassword]) -> bool:
    """What is revoked needs no secret. False where it was forgotten before."""
    unrevoked = rows.filter(revoked_at=None)
    return bool(unrevoked.update(secret="", revoked_at=Now(), try_after=None, problem=""))


def follow(old: str, new: str) -> None:
    """A renamed mailbox keeps its app passwords; they are revoked under its new name."""
    TemporaryPassword.objects.filter(address=old, revoked_at=None).update(address=new)


def settle(*, password: TemporaryPassword) -> None:
    """A person has looked after one that the panel cannot revoke: on PurelyMail's own page."""
    with audited(Action.APP_PASSWORD_SETTLED, target=password.address, after={"run": password.run}):
        if not _forget(unsettled().filter(pk=password.pk)):
            raise RefusedError(
                _(
                    "There is nothing to do about this app password of %(address)s: "
                    "it is in use, about to be revoked, or revoked already."
                )
                % {"address": shown_address(password.address)}
            )
