"""What the tests of invitations share: somebody who is invited, and the link in their mail."""

from __future__ import annotations

import re

from django.core import mail

from accounts import tasks
from accounts.models import Invitation, User
from accounts.services import invitations as services
from audit.models import Entry
from purelymanage.core.roles import Role

NORA = {"name": "Nora", "email": "Nora@Panel.example", "role": "admin"}


def invite(inviter: User, role: Role = Role.ADMIN) -> Invitation:
    services.invite(inviter=inviter, email="nora@panel.example", name="Nora", role=role)
    return Invitation.objects.get()


def mailed_link() -> str:
    """The path of the link in the newest mail, once the worker has sent what waits."""
    tasks.send_invitations()
    return re.search(r"/invite/\S+/", mail.outbox[-1].body)[0]


def actions() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("action", flat=True))
