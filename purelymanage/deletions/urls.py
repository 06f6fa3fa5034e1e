from django.urls import path

from purelymanage.deletions import views, views_freeze

app_name = "deletions"
urlpatterns = [
    path("", views.deletion_list, name="list"),
    path("cancel/", views.deletions_cancel, name="cancel_selected"),
    path("<int:pk>/", views.deletion_detail, name="detail"),
    path("<int:pk>/recreate/", views.deletion_recreate, name="recreate"),
    path("<int:pk>/cancel/", views.deletion_cancel, name="cancel"),
    path("freeze/<int:pk>/", views_freeze.freeze, name="freeze"),
    path("freeze/<int:pk>/undo/", views_freeze.freeze_undo, name="freeze_undo"),
    path("freezes/", views_freeze.freeze_list, name="freezes"),
    path("freezes/<int:pk>/", views_freeze.freeze_detail, name="frozen"),
]
