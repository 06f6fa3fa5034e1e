from django.apps import AppConfig


class MigrationsConfig(AppConfig):
    name = "migrations_app"
