"""The people who sign in to the panel, where they are signed in, and who is to join them."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.sessions.devices import device_words, is_hand_held
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


class SessionQuerySet(models.QuerySet["Session"]):
    def alive(self) -> SessionQuerySet:
        """Those that have not expired."""
        return self.filter(expire_date__gt=timezone.now())

    def without(self, cookie: str | None) -> SessionQuerySet:
        """All but the one whose key that cookie holds."""
        return self.exclude(session_key=Session.stored_key(cookie))


class Session(models.Model):
    """One browser, signed in or about to be. Its key is a digest of what the cookie holds."""

    session_key = models.CharField(max_length=64, unique=True, editable=False)
    session_data = models.TextField(editable=False)
    expire_date = models.DateTimeField(db_index=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    begun_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.device}, {self.address or '?'}"

    @property
    def device(self) -> str:
        """The browser and its system, in words."""
        return device_words(self.user_agent)

    @property
    def is_hand_held(self) -> bool:
        return is_hand_held(self.user_agent)

    @staticmethod
    def stored_key(cookie: str | None) -> str:
        """What stands in the row for the key that the cookie holds."""
        return hashlib.sha256((cookie or "").encode()).hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """Neither accepted nor revoked; they may have expired."""
        return self.filter(accepted_at=None, revoked_at=None)

    def valid(self) -> InvitationQuerySet:
        """Those that let somebody in now: whoever sent them has to be an owner still."""
        return self.open().filter(
            expires_at__gt=timezone.now(),
            invited_by__is_active=True,
            invited_by__role=Role.OWNER,
        )


class Invitation(models.Model):
    """A link that lets one person in once. The link holds a token, the row its digest."""

    email = models.EmailField(_("e-mail"))
    name = models.CharField(_("name"), max_length=120, validators=[refuse_control_characters])
    role = models.CharField(max_length=10, choices=Role)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="invitations_sent"
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.OneToOneField(User, models.SET_NULL, null=True, related_name="invitation")
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                "email",
                name="one_open_invitation",
                condition=models.Q(accepted_at=None, revoked_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.email

    @staticmethod
    def digest_of(token: str) -> str:
        """What stands in the row for the token that the link holds."""
        return hashlib.sha256(token.encode()).hexdigest()


class SecurityPolicy(models.Model):
    """What owners demand of everybody: one row at most."""

    second_factor_from = models.DateTimeField(null=True)
    """From when nobody works without a second factor; empty while it is everybody's own choice."""

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_policy")]

    def __str__(self) -> str:
        return "security policy"
