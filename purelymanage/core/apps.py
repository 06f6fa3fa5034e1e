from django.apps import AppConfig
from django.core import checks


class CoreConfig(AppConfig):
    name = "purelymanage.core"
    label = "core"

    def ready(self) -> None:
        from purelymanage.checks import check_unwise  # settings import the module first
        from purelymanage.core import private_memory, redaction

        checks.register(check_unwise)
        redaction.install()
        private_memory.keep()
