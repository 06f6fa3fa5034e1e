"""The messages that let somebody in: a link for a new password, and an invitation."""

from __future__ import annotations

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Invitation, User
from audit.actions import Action
from audit.services import audited


def send_reset_link(person: User) -> None:
    """Mail the link that lets `person` set a new password, valid for an hour and once."""
    key = default_token_generator.make_token(person)
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(person), "key": key},
    )
    context = {
        "person": person,
        "url": f"{settings.BASE_URL}{path}",
        "minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
    }
    message = EmailMultiAlternatives(
        subject=_("Set a new password for PurelyManage"),
        body=render_to_string("emails/password_reset.txt", context),
        to=[person.email],
    )
    message.attach_alternative(render_to_string("emails/password_reset.html", context), "text/html")
    with audited(Action.RESET_LINK_SENT, target=person.email):
        message.send()


def invitation_mail(invitation: Invitation, url: str) -> EmailMultiAlternatives:
    """The mail with the link that lets somebody in once."""
    context = {"invitation": invitation, "inviter": invitation.invited_by, "url": url}
    words = {"name": " ".join(str(invitation.invited_by).split())}
    message = EmailMultiAlternatives(
        subject=_("%(name)s invites you to PurelyManage") % words,
        body=render_to_string("emails/invitation.txt", context),
        to=[invitation.email],
    )
    message.attach_alternative(render_to_string("emails/invitation.html", context), "text/html")
    return message


def send_factors_reset_notice(person: User) -> None:
    """Tell `person` that they sign in with the password alone, in case they did not ask for it."""
    context = {"person": person, "url": settings.BASE_URL}
    message = EmailMultiAlternatives(
        subject=_("Your second factors for PurelyManage were reset"),
        body=render_to_string("emails/factors_reset.txt", context),
        to=[person.email],
    )
    message.attach_alternative(render_to_string("emails/factors_reset.html", context), "text/html")
    message.send()
