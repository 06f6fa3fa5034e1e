from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoutingConfig(AppConfig):
    name = "routing"

    def ready(self) -> None:
        from domains import copy
        from domains.models import Kind
        from mailboxes import rules
        from purelymanage.core.roles import Role
        from purelymanage.ui.navigation import register_page, register_search
        from routing import deletable, selectors, services

        copy.register_reader(Kind.RULES, services.refresh_rules)
        deletable.register()
        register_page(_("Where does this address go?"), "split", "/routing/trace/")
        register_page(_("New routing rule"), "plus", "/routing/new/", role=Role.ADMIN, action=True)
        register_search("rule", "split", selectors.find_rules, group=_("Rules"))
        rules.register(
            count=selectors.rules_per_address,
            around=selectors.rules_around,
            delivering_to=selectors.rules_delivering_to,
        )
