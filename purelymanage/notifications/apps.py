from django.apps import AppConfig
from django.core import checks


class NotificationsConfig(AppConfig):
    name = "purelymanage.notifications"

    def ready(self) -> None:
        from audit.watch import register_post
        from purelymanage.notifications.audit import AuditPost
        from purelymanage.notifications.checks import check_addresses

        checks.register(check_addresses)
        register_post(AuditPost())
