from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DomainsConfig(AppConfig):
    name = "domains"

    def ready(self) -> None:
        from accounts.about import register_fact
        from domains import about, copy, selectors, services
        from domains.deletable import DOMAIN
        from domains.models import Kind
        from purelymanage.core.roles import Role
        from purelymanage.deletions.registry import register_deletable
        from purelymanage.ui.navigation import register_page, register_search

        copy.register_reader(Kind.DOMAINS, services.refresh_domains)
        copy.register_reader(Kind.CREDIT, services.read_credit)
        copy.register_reader(Kind.OWNERSHIP, services.refresh_ownership_code)
        register_fact(_("Last sync"), about.last_sync, 50)
        register_search("domain", "globe", selectors.find_domains, group=_("Domains"))
        register_page(_("Add domain"), "plus", "/domains/new/", role=Role.ADMIN, action=True)
        register_deletable(DOMAIN)
