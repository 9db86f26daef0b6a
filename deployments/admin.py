"""A look at everything that is remembered, for administrators. Nothing is changed here: decisions are in services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from deployments.models import (
    CatalogueEntry,
    Checkup,
    Deployment,
    Event,
    Operation,
    Resource,
    Review,
    SecretRef,
    SpecRevision,
    StepRun,
)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows, and changes nothing."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    list_display = ["name", "owner", "lifecycle", "health", "last_outcome", "keep_until", "created_at"]
    list_filter = ["lifecycle", "health", "last_outcome"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username", "id"]


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ["deployment", "kind", "status", "requested_by", "created_at", "finished_at", "event_count", "fence"]
    list_filter = ["kind", "status"]
    list_select_related = ["deployment", "requested_by"]
    search_fields = ["deployment__name", "id", "correlation_id"]


@admin.register(StepRun)
class StepRunAdmin(ReadOnlyAdmin):
    list_display = ["title", "operation", "state", "summary", "attempts", "started_at", "finished_at"]
    list_filter = ["state", "name"]
    list_select_related = ["operation"]
    exclude = ["token"]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["operation_id", "number", "at", "level", "step", "message"]
    list_filter = ["level"]
    search_fields = ["operation__id", "message"]


@admin.register(Resource)
class ResourceAdmin(ReadOnlyAdmin):
    list_display = ["kind", "name", "deployment", "intended_at", "seen_at", "gone_at"]
    list_filter = ["kind"]
    list_select_related = ["deployment"]
    search_fields = ["name", "cloud_id", "deployment__name"]


@admin.register(SecretRef)
class SecretRefAdmin(ReadOnlyAdmin):
    list_display = ["purpose", "vault_name", "deployment", "state", "set_by", "set_at", "purged_at"]
    list_filter = ["state", "purpose"]
    list_select_related = ["deployment", "set_by"]


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ["revision", "reviewer", "approved", "reason", "at"]
    list_filter = ["approved"]
    list_select_related = ["revision", "reviewer"]


@admin.register(SpecRevision)
class SpecRevisionAdmin(ReadOnlyAdmin):
    list_display = ["deployment", "number", "author", "created_at"]
    list_select_related = ["deployment", "author"]


@admin.register(Checkup)
class CheckupAdmin(ReadOnlyAdmin):
    list_display = ["deployment", "at", "due_at", "found"]
    list_select_related = ["deployment"]


@admin.register(CatalogueEntry)
class CatalogueEntryAdmin(ReadOnlyAdmin):
    list_display = ["key", "fetched_at", "problem"]
    search_fields = ["key"]
