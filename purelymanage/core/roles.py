"""Three roles, each including the ones below."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person may do in the panel."""

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    VIEWER = "viewer", _("Viewer")


RANK = {Role.VIEWER: 0, Role.ADMIN: 1, Role.OWNER: 2}


def has_role(user: Any, role: Role) -> bool:
    """Whether a signed-in, active person has at least `role`."""
    return bool(user.is_authenticated and user.is_active and RANK[Role(user.role)] >= RANK[role])
