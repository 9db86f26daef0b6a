"""The regular look at the cloud, as it is remembered: when, and where the cloud and our records differ."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from deployments.states import DiscrepancyKind

#: The place of what is in the portal's vault; every other place is an Azure subscription, by its id in lower case.
VAULT = "vault"


class Survey(models.Model):
    """The look over one place; `problem` says why the newest one could not be made, and since when none could."""

    place = models.CharField(max_length=40, unique=True)
    due_at = models.DateTimeField(default=timezone.now)
    looked_at = models.DateTimeField(null=True, blank=True, help_text="The last one that could be made.")
    problem = models.TextField(blank=True)
    problem_since = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.place


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def for_administrators(self) -> DiscrepancyQuerySet:
        """What somebody has to decide about; what was changed by hand is its hub's own affair."""
        return self.exclude(kind=DiscrepancyKind.DRIFTED)


class Discrepancy(models.Model):
    """One hub of which the cloud and our records tell different things. Gone again when a look finds them agreed.

    `details` of what is left over or gone: `{"kind", "name", "cloud_id", "note"}` each; of what was changed by hand:
    `{"what", "remedy", "mends"}`, where `mends` says whether putting it back puts it right.
    """

    kind = models.CharField(max_length=16, choices=DiscrepancyKind.choices())
    place = models.CharField(max_length=40)
    owner = models.CharField(max_length=256, help_text="The deployment's id, as the thing's tag or name has it.")
    #: None: this portal has never known it.
    deployment = models.ForeignKey("deployments.Deployment", models.CASCADE, null=True, related_name="discrepancies")
    details = models.JSONField(default=list)
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "discrepancies"
        ordering = ["first_seen", "id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "place", "owner"], name="one_discrepancy_per_hub_and_place")
        ]

    @property
    def owner_id(self) -> UUID | None:
        """The deployment's id; None for a tag that no Slipway has written."""
        try:
            return UUID(self.owner)
        except ValueError:
            return None

    @property
    def title(self) -> str:
        """The name by which a person knows it: the hub's, or that of the first thing that was found."""
        return self.deployment.name if self.deployment else str(self.details[0]["name"])

    def is_called(self, name: str) -> bool:
        """Whether a page shows it under this name, or did until it got a record with another."""
        return name in {self.title, *(str(each["name"]) for each in self.details[:1])}

    @property
    def mends(self) -> bool:
        """Whether putting it back puts any of it right."""
        return any(each.get("mends") for each in self.details)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.owner} in {self.place}"
