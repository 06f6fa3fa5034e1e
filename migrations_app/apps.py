from django.apps import AppConfig


class MigrationsConfig(AppConfig):
    name = "migrations_app"

    def ready(self) -> None:
        from migrations_app import queue  # models are not there when this module loads
        from purelymanage.jobs import registry

        registry.register_upkeep(queue.upkeep)
        registry.register_kept_waiting(queue.is_kept_waiting)
