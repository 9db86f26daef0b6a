"""What the portal itself adds to Django: checks of its settings, and the counting of calls to the outside."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig

from portal import logs


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        logs.tell_what_ends_us()
        import_module("portal.refusals")  # registers its check
        import_module("deployments.metering").count_outside_calls()
