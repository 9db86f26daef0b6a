"""What is remembered of looking after hubs: health, looks inside, check-ups, letters that went out."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from deployments.states import Health


class HealthCheck(models.Model):
    """One regular look at whether a hub serves."""

    deployment = models.ForeignKey("deployments.Deployment", models.CASCADE, related_name="health_checks")
    at = models.DateTimeField(default=timezone.now)
    health = models.CharField(max_length=16, choices=Health.choices())
    summary = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at"]
        indexes = [models.Index(fields=["deployment", "at", "health"])]  # health too: pages count without the table

    def __str__(self) -> str:
        return f"{self.deployment_id} {self.at:%F %T} {self.health}"


class Look(models.Model):
    """A look inside a hub that a page has asked for; the worker fills it in, redacted, for as long as it is wanted.

    The web process may not talk to clusters: its identity has no right to.
    """

    deployment = models.ForeignKey("deployments.Deployment", models.CASCADE, related_name="looks")
    subject = models.CharField(
        max_length=350, help_text="What to look at: overview, pod/<pod>, log/<pod>/<container> …"
    )
    wanted_until = models.DateTimeField()
    due_at = models.DateTimeField(default=timezone.now)
    looked_at = models.DateTimeField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "subject"], name="one_look_per_subject")]
        indexes = [models.Index(fields=["due_at"])]

    def __str__(self) -> str:
        return f"{self.deployment_id} {self.subject}"


class Checkup(models.Model):
    """What the last look for troubles inside a hub found, redacted; kept so that its page says so at once."""

    deployment = models.OneToOneField("deployments.Deployment", models.CASCADE, related_name="checkup")
    due_at = models.DateTimeField(default=timezone.now)
    at = models.DateTimeField(null=True, blank=True)
    found = models.JSONField(default=list, blank=True, help_text="Diagnoses: code, what, why, fix, evidence.")

    class Meta:
        indexes = [models.Index(fields=["due_at"])]

    def __str__(self) -> str:
        return f"{self.deployment_id} {', '.join(each['code'] for each in self.found) or 'well'}"


class Notice(models.Model):
    """A message about a hub that was sent, so that it is sent once."""

    deployment = models.ForeignKey("deployments.Deployment", models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)
    keep_until = models.DateField(help_text="The end of life it was about: after Extend it is sent anew.")
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deployment", "kind", "keep_until"], name="one_notice_per_kind_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.deployment_id} {self.kind}"
