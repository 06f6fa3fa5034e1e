from allauth.usersessions.models import UserSession
from django.contrib import admin

from accounts.models import User
from purelymanage.core.inspection import InspectionAdmin


@admin.register(User)
class UserInspection(InspectionAdmin):
    list_display = ["email", "name", "role", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    search_fields = ["email", "name"]
    exclude = ["password", "groups", "user_permissions", "is_superuser"]


@admin.register(UserSession)
class UserSessionInspection(InspectionAdmin):
    list_display = ["user", "created_at", "last_seen_at", "ip", "user_agent"]
    list_select_related = ["user"]
    exclude = ["session_key", "data"]
