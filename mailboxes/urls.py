from django.urls import path

from mailboxes import views

app_name = "mailboxes"
urlpatterns = [
    path("", views.mailbox_list, name="list"),
    path("new/", views.mailbox_add, name="add"),
    path("<int:pk>/", views.mailbox_detail, name="detail"),
    path("<int:pk>/password/", views.mailbox_password_reset, name="password_reset"),
]
