from django.contrib import admin

from purelymanage.core.inspection import InspectionAdmin
from purelymanage.notifications.models import Delivery, Message


@admin.register(Message)
class MessageInspection(InspectionAdmin):
    list_display = ["pk", "title", "created_at", "tries", "try_after"]
    ordering = ["-pk"]


@admin.register(Delivery)
class DeliveryInspection(InspectionAdmin):
    list_display = ["target", "taken_at", "refused_at", "why"]
    ordering = ["target"]
