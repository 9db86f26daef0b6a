"""Which address leads where."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path

from portal import probes

handler400 = "deployments.views.errors.bad_request"
handler403 = "deployments.views.errors.forbidden"
handler404 = "deployments.views.errors.not_found"
handler500 = "deployments.views.errors.server_error"

urlpatterns = [
    path("", include("deployments.urls")),
    path("sign-in/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="logout"),
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("admin/", admin.site.urls),
    path("admin/django_rq/", include("django_rq.urls")),
]
