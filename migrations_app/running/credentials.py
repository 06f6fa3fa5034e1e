"""The two stored passwords of a job, or a sentence that says why they are not to be had."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from migrations_app.models import MigrationJob
from purelymanage.core.errors import RefusedError
from purelymanage.crypto import DecryptionError

logger = logging.getLogger(__name__)


def refuse_erased(job: MigrationJob) -> None:
    """Before a job is queued, and again before it starts: they may be erased in between."""
    if not job.has_passwords:
        raise RefusedError(
            _("The passwords of “%(job)s” were erased. Edit the job and type them again.")
            % {"job": job}
        )


@contextmanager
def opening(job: MigrationJob) -> Iterator[None]:
    """While stored passwords are opened: a lost key is told, not thrown."""
    try:
        yield
    except DecryptionError:
        logger.exception("Migration job %s", job.pk)
        raise RefusedError(
            _(
                "The stored passwords of “%(job)s” do not open with the present ENCRYPTION_KEYS."
                " Put the lost key back, or edit the job and type both passwords again."
            )
            % {"job": job}
        ) from None
