from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailboxesConfig(AppConfig):
    name = "mailboxes"

    def ready(self) -> None:
        from domains import copy
        from domains.models import Kind
        from mailboxes import deletable, selectors, services
        from mailboxes.batches.services import bulk_deletions_of, stop_bulk_deletions
        from purelymanage.core.roles import Role
        from purelymanage.deletions.registry import Stop, register_stop
        from purelymanage.ui.navigation import register_page, register_search

        copy.register_reader(Kind.MAILBOXES, services.refresh_mailboxes)
        deletable.register()
        register_stop(Stop(names=bulk_deletions_of, stop=stop_bulk_deletions))
        register_search("mailbox", "mail", selectors.find_mailboxes, group=_("Mailboxes"))
        register_page(_("New mailbox"), "plus", "/mailboxes/new/", role=Role.ADMIN, action=True)
        register_page(
            _("Create mailboxes from CSV"),
            "upload",
            "/mailboxes/batches/new/",
            role=Role.ADMIN,
            action=True,
        )
        register_page(_("Bulk work on mailboxes"), "list-checks", "/mailboxes/batches/")
