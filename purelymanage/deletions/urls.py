from django.urls import path

from purelymanage.deletions import views

app_name = "deletions"
urlpatterns = [
    path("", views.deletion_list, name="list"),
    path("<int:pk>/cancel/", views.deletion_cancel, name="cancel"),
]
