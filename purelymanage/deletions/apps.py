from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeletionsConfig(AppConfig):
    name = "purelymanage.deletions"

    def ready(self) -> None:
        from purelymanage.deletions import selectors
        from purelymanage.ui.navigation import register_count, register_page, register_search

        register_count("deletions", selectors.pending_count)
        register_page(_("History of deletions"), "trash", "/deletions/?tab=history")
        register_search("deletion", "trash", selectors.find_deletions, group=_("Pending deletions"))
