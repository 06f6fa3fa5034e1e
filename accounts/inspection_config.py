"""Wiring of Django's admin; beside `apps.py`, which may declare only one app."""

from django.contrib.admin.apps import AdminConfig


class InspectionConfig(AdminConfig):
    """Django's admin with our own idea of who may see what."""

    default_site = "accounts.inspection.InspectionSite"
