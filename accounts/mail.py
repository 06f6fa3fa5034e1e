"""The messages about how somebody comes in: new password, invitation, factors taken away."""

from __future__ import annotations

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Invitation, User
from audit.actions import Action
from audit.services import audited
from purelymanage.notifications.mail import Words, compose


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
    words = Words(_("Set a new password for PurelyManage"), "password_reset")
    message = compose(words, context, person.email)
    with audited(Action.RESET_LINK_SENT, target=person.email):
        message.send()


def invitation_mail(invitation: Invitation, url: str) -> EmailMultiAlternatives:
    """The mail with the link that lets somebody in once."""
    context = {"invitation": invitation, "inviter": invitation.invited_by, "url": url}
    name = " ".join(str(invitation.invited_by).split())
    subject = _("%(name)s invites you to PurelyManage") % {"name": name}
    return compose(Words(subject, "invitation"), context, invitation.email)


def send_factors_reset_notice(person: User) -> None:
    """Tell `person` that they sign in with the password alone, in case they did not ask for it."""
    context = {"person": person, "url": settings.BASE_URL}
    words = Words(_("Your second factors for PurelyManage were reset"), "factors_reset")
    compose(words, context, person.email).send()
