"""What can happen to the people of the panel."""

from __future__ import annotations

from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Invitation, User
from accounts.services.sessions import end_sessions
from audit.actions import Action
from audit.services import audited
from purelymanage.core.context import acting_as, current_actor
from purelymanage.core.errors import MissingError, RefusedError
from purelymanage.core.locks import lock_transaction
from purelymanage.core.roles import Role

PEOPLE = "accounts.people"
"""The lock under which people come and go, so that there is always an owner."""


def create_first_owner(*, email: str, name: str, password: str) -> User:
    """Make the first account. Of two at once, one makes it and the other is told it is too late."""
    newcomer = replace(current_actor(), kind="person", name=name)
    with (
        acting_as(newcomer),
        audited(Action.OWNER_CREATED, target=email),
        transaction.atomic(),
    ):
        lock_transaction(PEOPLE)
        if User.objects.exists():
            raise MissingError(_("The panel is set up already. Sign in instead."))
        return User.objects.create_user(email=email, name=name, password=password, role=Role.OWNER)


def add_person(*, email: str, name: str, password: str, role: Role) -> User:
    """Let somebody sign in with a password: for whoever has the server. Others are invited."""
    facts = {"name": name, "role": role}
    with audited(Action.PERSON_ADDED, target=email, after=facts):
        try:
            with transaction.atomic():
                return User.objects.create_user(
                    email=email, name=name, password=password, role=role
                )
        except IntegrityError:
            raise RefusedError(
                _("%(email)s is in the panel already. Change the role in the list of people.")
                % {"email": email},
                field="email",
            ) from None


def set_password(*, person: User, password: str) -> None:
    """Give a person a new password and end their sessions: for whoever has the server."""
    with audited(Action.PASSWORD_SET, target=person.email), transaction.atomic():
        person.set_password(password)
        person.save(update_fields=["password"])
        end_sessions(person=person)


def change_name(*, person: User, name: str) -> None:
    """Change what a person is called; history keeps the old name."""
    if name == person.name:
        return
    with audited(
        Action.PROFILE_CHANGED,
        target=person.email,
        before={"name": person.name},
        after={"name": name},
    ):
        person.name = name
        person.save(update_fields=["name"])


def change_role(*, person: User, role: Role) -> None:
    """Give a person another role, which ends their sessions. The last owner stays owner."""
    if role == person.role:
        return
    with (
        audited(
            Action.PERSON_CHANGED,
            target=person.email,
            before={"role": person.role},
            after={"role": role},
        ),
        transaction.atomic(),
    ):
        if role != Role.OWNER:
            _keep_an_owner(person)
        person.role = role
        person.save(update_fields=["role"])
        end_sessions(person=person)


def remove_person(*, person: User) -> None:
    """Take away the right to sign in, at once and in every session. History keeps the name.

    Nobody comes in any more by an invitation of theirs.
    """
    with audited(Action.PERSON_REMOVED, target=person.email) as change, transaction.atomic():
        _keep_an_owner(person)
        person.is_active = False
        person.save(update_fields=["is_active"])
        end_sessions(person=person)
        sent = Invitation.objects.open().filter(invited_by=person)
        if revoked := sent.update(revoked_at=timezone.now()):
            change.after["invitations_revoked"] = revoked


def restore_person(*, person: User) -> None:
    """Let a removed person sign in again, with role and password as they were."""
    with audited(Action.PERSON_RESTORED, target=person.email, after={"role": person.role}):
        person.is_active = True
        person.save(update_fields=["is_active"])


def _keep_an_owner(person: User) -> None:
    """Refuse to lose the last owner. Holds the lock until the transaction ends."""
    lock_transaction(PEOPLE)
    owners = User.objects.filter(role=Role.OWNER, is_active=True)
    if set(owners.values_list("pk", flat=True)) == {person.pk}:
        raise RefusedError(
            _("%(name)s is the only owner. Make somebody else an owner first.")
            % {"name": person.name}
        )
