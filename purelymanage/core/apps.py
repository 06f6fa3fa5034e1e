from django.apps import AppConfig
from django.core import checks


class CoreConfig(AppConfig):
    name = "purelymanage.core"
    label = "core"

    def ready(self) -> None:
        from purelymanage.checks import check_unwise  # settings import the module first

        checks.register(check_unwise)
