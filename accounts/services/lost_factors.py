"""The way back in for whoever lost their second factor: an owner's, or the server operator's."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.sessions import end_sessions
from audit.actions import Action
from audit.services import audited
from purelymanage.core.context import current_actor
from purelymanage.core.errors import RefusedError
from purelymanage.jobs.queue import enqueue


@dataclass(frozen=True)
class Reset:
    """What was taken away."""

    factors: int
    sessions: int


def reset_factors(*, person: User) -> Reset:
    """Remove every second factor of a person and end their sessions; a worker mails them that.

    Nobody resets their own: whoever holds a stolen session could.
    """
    with audited(Action.FACTORS_RESET, target=person.email) as change:
        if current_actor().user_id == person.pk:
            raise RefusedError(
                _(
                    "Nobody resets their own second factor. Sign in with a recovery code, or have "
                    "the server's operator run: manage.py reset_mfa %(email)s"
                )
                % {"email": person.email}
            )
        with transaction.atomic():
            theirs = Authenticator.objects.filter(user=person)
            factors = theirs.exclude(type=Authenticator.Type.RECOVERY_CODES).count()
            if not theirs.delete()[0]:
                raise RefusedError(
                    _("%(name)s has no second factor.") % {"name": person.name or person.email}
                )
            done = Reset(factors, end_sessions(person=person))
            enqueue("accounts.tasks.send_factors_reset", person.pk)
        change.after.update(factors=done.factors, sessions=done.sessions)
    return done
