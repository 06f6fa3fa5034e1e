"""How django-allauth's second factors behave here."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.factors import passkeys, sealing
from accounts.factors.policy import is_last_demanded
from accounts.models import User

PANEL = "PurelyManage"


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth asks it for words and rules; see MFA_ADAPTER."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is wrong, or it was used already. Wait for the next one."),
        "cannot_delete_authenticator": _(
            "Everybody has to have a second factor here, and this is your only one. Set up another"
            " one first."
        ),
    }

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002  allauth's
        """What a passkey is called unless the person names it."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Passkey %(number)d") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Whose passkeys these are: of the panel's own domain, whatever a request says."""
        return {"id": passkeys.domain(), "name": PANEL}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """While a second factor is demanded of everybody, the last one stays."""
        return not is_last_demanded(authenticator)

    def encrypt(self, text: str) -> str:
        return sealing.Unsealed(text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.opened(encrypted_text)
