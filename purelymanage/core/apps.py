from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "purelymanage.core"
    label = "core"
