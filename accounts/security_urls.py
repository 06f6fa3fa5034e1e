"""The page about one's own second factors, under the name that django-allauth leads back to."""

from django.urls import path

from accounts.views import security

urlpatterns = [path("", security.security, name="mfa_index")]
