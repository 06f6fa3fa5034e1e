from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "purelymanage.ui"
    label = "ui"
