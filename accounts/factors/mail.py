"""The message that tells a person what happened to their second factors."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from audit.actions import Action
from purelymanage.notifications.mail import Words, compose

SENTENCES = {
    Action.FACTOR_ADDED: gettext_lazy("Added to your account: %(what)s."),
    Action.FACTOR_REMOVED: gettext_lazy("Removed from your account: %(what)s."),
    Action.RECOVERY_CODES_MADE: gettext_lazy("New recovery codes were made for your account."),
    Action.RECOVERY_CODE_USED: gettext_lazy("One of your recovery codes was used."),
}


def send_news(person: User, action: str, *, what: str, moment: datetime, address: str) -> None:
    """Mail `person` the sentence for `action`, with when and from where."""
    sentence = SENTENCES[Action(action)] % {"what": what}
    context = {
        "person": person,
        "sentence": sentence,
        "moment": moment,
        "address": address,
        "url": f"{settings.BASE_URL}{reverse('mfa_index')}",
        "codes_left": _codes_left(person) if action == Action.RECOVERY_CODE_USED else None,
    }
    subject = _("Your sign-in to PurelyManage: %(sentence)s") % {"sentence": sentence}
    compose(Words(subject, "factor_news"), context, person.email).send()


def _codes_left(person: User) -> int:
    row = Authenticator.objects.filter(user=person, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(row.wrap().get_unused_codes()) if row else 0
