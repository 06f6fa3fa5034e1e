from django.apps import AppConfig


class PurelyMailConfig(AppConfig):
    name = "purelymanage.purelymail"
    label = "purelymail"
