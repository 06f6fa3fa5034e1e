"""Who has to have a second factor, and from when.

A factor is an authenticator app or a passkey; recovery codes alone are none. The query that loads
the signed-in person (accounts/entrance/backends.py) brings along what is needed to tell, so that
asking on every page costs nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from accounts.models import SecurityPolicy

if TYPE_CHECKING:
    from accounts.models import User

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def with_factor(people: QuerySet[User]) -> QuerySet[User]:
    """People, each with `has_factor`."""
    theirs = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
    return people.annotate(has_factor=Exists(theirs))


def with_demand(people: QuerySet[User]) -> QuerySet[User]:
    """People, each with `has_factor` and `demanded_from`, the moment that the policy names."""
    policy = SecurityPolicy.objects.values("second_factor_from")[:1]
    return with_factor(people).annotate(demanded_from=Subquery(policy))


def due_at(person: Any) -> datetime | None:
    """When a signed-in person can no longer work without a second factor; None if never.

    Whoever joins later has the same grace, from then.
    """
    demanded_from: datetime | None = getattr(person, "demanded_from", None)
    if demanded_from is None or person.has_factor:
        return None
    grace = timedelta(days=settings.SECOND_FACTOR_GRACE_DAYS)
    later: datetime = person.joined_at + grace
    return max(demanded_from, later)


def is_held_back(person: Any) -> bool:
    """Whether a signed-in person has to set up a second factor before anything else."""
    due = due_at(person)
    return due is not None and due <= timezone.now()


def is_demanded() -> bool:
    """Whether everybody has to have one, if only from some day on."""
    return SecurityPolicy.objects.exclude(second_factor_from=None).exists()


def has_factor(person: User) -> bool:
    return bool(Authenticator.objects.filter(user=person, type__in=FACTORS).exists())


def is_last_demanded(authenticator: Authenticator) -> bool:
    """Whether a person would be without the second factor that is demanded of them."""
    if authenticator.type not in FACTORS or not is_demanded():
        return False
    others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=FACTORS)
    return not others.exclude(pk=authenticator.pk).exists()
