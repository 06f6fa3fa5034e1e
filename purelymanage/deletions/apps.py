from django.apps import AppConfig


class DeletionsConfig(AppConfig):
    name = "purelymanage.deletions"

    def ready(self) -> None:
        from purelymanage.deletions import selectors
        from purelymanage.ui.navigation import register_count

        register_count("dashboard", selectors.pending_count)
