"""Which address leads where."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

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
    path("metrics", probes.figures),
    path("admin/", admin.site.urls),
    path("favicon.ico", login_not_required(RedirectView.as_view(url=f"{settings.STATIC_URL}img/favicon.svg"))),
]
