from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "purelymanage.notifications"

    def ready(self) -> None:
        from audit.watch import register_post
        from purelymanage.notifications.audit import AuditPost

        register_post(AuditPost())
