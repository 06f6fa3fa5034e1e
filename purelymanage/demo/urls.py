from django.urls import path

from purelymanage.demo import views

app_name = "demo"
urlpatterns = [path("publish/", views.publish, name="publish")]
