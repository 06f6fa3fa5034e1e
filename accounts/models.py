"""The people who sign in to the panel."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purelymanage.core.addresses import refuse_control_characters
from purelymanage.core.roles import Role, has_role


class UserManager(BaseUserManager["User"]):
    """Makes people; the e-mail address is the sign-in name, always lower case."""

    def create_user(
        self, *, email: str, name: str, password: str | None = None, role: Role = Role.VIEWER
    ) -> User:
        """A person with `role`; without a password they cannot sign in yet."""
        user = self.model(email=email.strip().lower(), name=name, role=role)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person with a role. `is_active` is off once they are removed; history keeps the name."""

    email = models.EmailField(
        _("e-mail"), unique=True, error_messages={"unique": _("This person is already here.")}
    )
    name = models.CharField(_("name"), max_length=120, validators=[refuse_control_characters])
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_owner(self) -> bool:
        return has_role(self, Role.OWNER)

    @property
    def is_admin(self) -> bool:
        """Whether they may change things: owners and admins."""
        return has_role(self, Role.ADMIN)

    @property
    def is_staff(self) -> bool:
        """Who may open Django's admin: owners only."""
        return self.is_owner

    @property
    def initials(self) -> str:
        words = (self.name or self.email).split()
        return "".join(word[0] for word in (words[0], words[-1]) if word)[: len(words)].upper()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's admin asks; inside it everything is read-only where it must be."""
        return self.is_owner

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_owner

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name
