from django.apps import AppConfig


class DeletionsConfig(AppConfig):
    name = "purelymanage.deletions"
