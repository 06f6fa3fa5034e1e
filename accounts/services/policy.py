"""What owners demand of everybody."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.factors.policy import has_factor, is_demanded
from accounts.models import SecurityPolicy, User
from audit.actions import Action
from audit.services import audited
from purelymanage.core.errors import RefusedError


def demand_factor(*, by: User) -> None:
    """Demand a second factor of everybody, once the grace is over. Asked again it changes nothing.

    Only somebody who has one may: they could lock themselves out together with everybody else.
    """
    if is_demanded():
        return
    due = timezone.now() + timedelta(days=settings.SECOND_FACTOR_GRACE_DAYS)
    with audited(Action.FACTOR_DEMANDED, after={"from": due.isoformat(timespec="seconds")}):
        if not has_factor(by):
            raise RefusedError(
                _("Set up a second factor of your own first, then demand one of everybody.")
            )
        SecurityPolicy.objects.update_or_create(pk=1, defaults={"second_factor_from": due})


def leave_factor_open() -> None:
    """Leave it to everybody whether they have a second factor."""
    if not is_demanded():
        return
    with audited(Action.FACTOR_LEFT_OPEN):
        SecurityPolicy.objects.update(second_factor_from=None)
