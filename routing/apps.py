from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "routing"

    def ready(self) -> None:
        from domains import copy
        from domains.models import Kind
        from mailboxes import rules
        from routing import selectors, services

        copy.register_reader(Kind.RULES, services.refresh_rules)
        rules.register(count=selectors.rules_per_address, around=selectors.rules_around)
