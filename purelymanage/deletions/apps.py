from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeletionsConfig(AppConfig):
    name = "purelymanage.deletions"

    def ready(self) -> None:
        from accounts.services import invitations
        from purelymanage.deletions import selectors
        from purelymanage.deletions.models import PendingDeletion
        from purelymanage.deletions.registry import Stop, register_stop
        from purelymanage.ui.navigation import register_count, register_page, register_search

        register_stop(Stop(names=invitations.sent_by, stop=invitations.revoke_all))
        pending = PendingDeletion.objects.pending
        register_count("deletions", pending, words=selectors.pending_words)
        register_page(_("History of deletions"), "trash", "/deletions/?tab=history")
        register_search("deletion", "trash", selectors.find_deletions, group=_("Pending deletions"))
