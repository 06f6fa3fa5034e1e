"""Loads who is signed in."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from accounts.factors.policy import with_demand
from accounts.models import User


class PanelBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    """allauth's, with what the policy asks of the person in the same query."""

    def get_user(self, user_id: Any) -> User | None:
        person = with_demand(User.objects.all()).filter(pk=user_id).first()
        return person if person and self.user_can_authenticate(person) else None
