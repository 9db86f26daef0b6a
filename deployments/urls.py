"""Addresses of the pages about hubs."""

from django.urls import URLPattern

app_name = "deployments"
urlpatterns: list[URLPattern] = []
