from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MigrationsConfig(AppConfig):
    name = "migrations_app"

    def ready(self) -> None:
        from accounts.about import register_fact
        from accounts.settings_tabs import register_tab
        from domains.dependants import register_affected
        from mailboxes import moves as mailbox_moves
        from migrations_app import about, moves, navigation
        from migrations_app.queueing import dispatch, queue
        from migrations_app.running import workplace
        from migrations_app.services import temporary_passwords
        from purelymanage.jobs import registry

        registry.register_upkeep(queue.upkeep)
        registry.register_upkeep(workplace.clear_up)
        registry.register_kept_waiting(dispatch.is_kept_waiting)
        navigation.register()
        mailbox_moves.register(
            last=moves.last_moves,
            latest=moves.latest_moves,
            unfinished=moves.unfinished_moves,
            renamed=temporary_passwords.follow,
        )
        register_affected(
            _("Migrations into its mailboxes that have not ended"), moves.unfinished_into_domain
        )
        register_fact(_("Engine"), about.engine, 35)
        register_tab(_("Migrations"), "migration_settings:limits", 60)
