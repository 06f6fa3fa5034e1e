from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "purelymanage.demo"
    label = "demo"
