from django.apps import AppConfig


class MailboxesConfig(AppConfig):
    name = "mailboxes"

    def ready(self) -> None:
        from domains import copy
        from domains.models import Kind
        from mailboxes import services

        copy.register_reader(Kind.MAILBOXES, services.refresh_mailboxes)
