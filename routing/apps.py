from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoutingConfig(AppConfig):
    name = "routing"

    def ready(self) -> None:
        from domains import copy
        from domains.models import Kind
        from mailboxes import rules
        from purelymanage.ui.navigation import register_search
        from routing import selectors, services

        copy.register_reader(Kind.RULES, services.refresh_rules)
        register_search("rule", "split", selectors.find_rules, group=_("Rules"))
        rules.register(count=selectors.rules_per_address, around=selectors.rules_around)
