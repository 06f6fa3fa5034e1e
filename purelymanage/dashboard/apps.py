from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "purelymanage.dashboard"
    label = "dashboard"
