from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Models are not there when this module loads
        from accounts import receivers
        from accounts.factors import receivers as factor_receivers
        from accounts.factors import sealing
        from purelymanage.core.roles import Role
        from purelymanage.ui.navigation import register_page

        receivers.connect()
        factor_receivers.connect()
        sealing.connect()
        register_page(_("Change your password"), "key", "/accounts/password/change/")
        register_page(_("Your second factors"), "shield-check", "/settings/security/")
        register_page(_("People"), "users", "/settings/people/")
        register_page(
            _("Invite a person"), "plus", "/settings/people/new/", role=Role.OWNER, action=True
        )
        register_page(_("Sessions"), "monitor-smartphone", "/settings/sessions/")
        register_page(_("Audit log"), "list", "/settings/audit/")
        register_page(_("PurelyMail connection"), "plug", "/settings/purelymail/")
        register_page(_("About this panel"), "info", "/settings/about/")
