from django.apps import AppConfig


class DomainsConfig(AppConfig):
    name = "domains"

    def ready(self) -> None:
        from domains import copy, services
        from domains.models import Kind

        copy.register_reader(Kind.DOMAINS, services.refresh_domains)
        copy.register_reader(Kind.CREDIT, services.read_credit)
