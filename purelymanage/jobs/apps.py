from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "purelymanage.jobs"
    label = "jobs"
