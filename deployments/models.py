"""What is remembered. The database is the truth; decisions are in services, legal moves in states."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from deployments import naming
from deployments.spec import HubSpec
from deployments.states import (
    Health,
    Level,
    Lifecycle,
    OperationKind,
    OperationStatus,
    Outcome,
    SecretState,
    StepState,
)
from deployments.surveys import Discrepancy as Discrepancy
from deployments.surveys import Survey as Survey
from deployments.upkept import Checkup as Checkup
from deployments.upkept import HealthCheck as HealthCheck
from deployments.upkept import Look as Look
from deployments.upkept import Notice as Notice

#: Nothing is put off for longer than that.
LONGEST_DELAY = timedelta(minutes=10)
#: Clocks of several machines may differ by so much.
CLOCKS_DIFFER = timedelta(minutes=1)


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def visible_to(self, user: User) -> Self:
        """The hubs this person may see: their own, or all of them for who reviews."""
        return self if user.may_review else self.filter(owner=user)

    def live(self) -> Self:
        return self.exclude(lifecycle__in=[Lifecycle.DELETED, Lifecycle.REJECTED])

    def awaiting_review(self) -> Self:
        """Requests whose secrets are all in the vault: only those are complete."""
        pending = SecretRef.objects.filter(state=SecretState.PENDING).values("deployment")
        return self.filter(lifecycle=Lifecycle.REQUESTED).exclude(id__in=pending)


class Deployment(models.Model):
    """One hub over its life. Lifecycle, health and the outcome of the last operation are three separate facts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="deployments")
    name = models.CharField(max_length=30)
    lifecycle = models.CharField(max_length=16, choices=Lifecycle.choices(), default=Lifecycle.REQUESTED)
    health = models.CharField(max_length=16, choices=Health.choices(), default=Health.UNKNOWN)
    last_outcome = models.CharField(max_length=16, choices=Outcome.choices(), default=Outcome.NONE)
    address = models.URLField(help_text="Known before anything exists: it comes from the DNS label.")
    monthly_cost = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="GBP")
    keep_until = models.DateField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ready_at = models.DateTimeField(null=True, blank=True)
    serving = models.ForeignKey(
        "SpecRevision", models.SET_NULL, null=True, related_name="+", help_text="What the hub serves just now."
    )
    health_checked_at = models.DateTimeField(null=True, blank=True)
    health_due_at = models.DateTimeField(null=True, blank=True)
    certificate = models.JSONField(default=dict, blank=True, help_text="What its address last showed, and when.")
    inspected_at = models.DateTimeField(null=True, blank=True, help_text="When it was last compared with the cloud.")
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        permissions = [("review_deployment", "Can review requests and see all hubs")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=~Q(lifecycle__in=["deleted", "rejected"]),
                name="one_live_hub_per_owner_and_name",
            )
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at"]),
            models.Index(fields=["lifecycle", "created_at"]),
            models.Index(fields=["-created_at"]),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("deployments:detail", args=[self.id])

    @property
    def names(self) -> naming.Names:
        return naming.derive(self.name, self.id)

    @property
    def state(self) -> Lifecycle:
        return Lifecycle.of(self.lifecycle)

    @property
    def days_left(self) -> int:
        return (self.keep_until - date.today()).days

    @property
    def revision(self) -> SpecRevision:
        """The description that counts: what is served, or what was asked for while nothing is."""
        if self.serving:
            return self.serving
        revision = self.revisions.order_by("-number").first()
        assert revision is not None, "a deployment is made together with its first revision"
        return revision


class SpecRevisionQuerySet(models.QuerySet["SpecRevision"]):
    def awaiting_review(self) -> Self:
        """Changes that would cost more than was approved, and that nobody has decided about."""
        return self.filter(needs_review=True, review=None, deployment__lifecycle=Lifecycle.READY)


class SpecRevision(models.Model):
    """One frozen description of a hub; each edit makes a new one."""

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField(default=1)
    data = models.JSONField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    needs_review = models.BooleanField(default=False, help_text="A change that waits, or waited, for a reviewer.")

    objects = SpecRevisionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "number"], name="one_revision_per_number")]
        indexes = [models.Index(fields=["created_at"], condition=Q(needs_review=True), name="revision_for_review")]

    @property
    def spec(self) -> HubSpec:
        return HubSpec.from_json(self.data)

    def __str__(self) -> str:
        return f"{self.deployment_id} revision {self.number}"


class Review(models.Model):
    """An administrator's decision about one revision; there is at most one."""

    revision = models.OneToOneField(SpecRevision, models.CASCADE, related_name="review")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved = models.BooleanField()
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{'Approved' if self.approved else 'Rejected'} by {self.reviewer}"


class OperationQuerySet(models.QuerySet["Operation"]):
    def visible_to(self, user: User) -> Self:
        return self if user.may_review else self.filter(deployment__owner=user)

    def unheld(self, now: datetime | None = None) -> Self:
        """Running operations that no living worker holds.

        A lease that lies further ahead than anybody takes one was noted before a clock was set back.
        """
        now = now or timezone.now()
        longest = timedelta(seconds=settings.SLIPWAY_LEASE_SECONDS) + CLOCKS_DIFFER
        unheld = Q(lease_until=None) | Q(lease_until__lt=now) | Q(lease_until__gt=now + longest)
        return self.filter(unheld, status=OperationStatus.RUNNING)

    def due(self, now: datetime | None = None) -> Self:
        """Those of them that can have changed; a moment further ahead than anybody sets one counts as come."""
        now = now or timezone.now()
        come = Q(next_due_at__lte=now) | Q(next_due_at__gt=now + LONGEST_DELAY + CLOCKS_DIFFER)
        return self.unheld(now).filter(come)


class Operation(models.Model):
    """One thing being done to a deployment. `fence` rises with each claim; only its holder may record."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="operations")
    revision = models.ForeignKey(SpecRevision, models.PROTECT, related_name="operations")
    kind = models.CharField(max_length=16, choices=OperationKind.choices())
    status = models.CharField(max_length=16, choices=OperationStatus.choices(), default=OperationStatus.RUNNING)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="None: Slipway itself."
    )
    arguments = models.JSONField(default=dict, blank=True, help_text="What this kind of operation needs to know.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    next_due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveBigIntegerField(default=0)
    event_count = models.PositiveBigIntegerField(default=0)
    log_archived = models.BooleanField(default=False, help_text="Every line of its log is in an archive.")
    error_message = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    error_code = models.CharField(max_length=100, blank=True)
    correlation_id = models.CharField(max_length=100, blank=True)
    result = models.JSONField(default=dict, blank=True, help_text="What the operation proved: the launch, the receipt.")

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["deployment"], condition=Q(status="running"), name="one_running_operation_per_deployment"
            ),
            models.UniqueConstraint(
                fields=["deployment"], condition=Q(status="waiting"), name="one_waiting_operation_per_deployment"
            ),
        ]
        indexes = [
            models.Index(fields=["next_due_at"], condition=Q(status="running"), name="operation_due"),
            models.Index(fields=["deployment", "-created_at"]),
            models.Index(fields=["finished_at"]),
            models.Index(fields=["finished_at"], condition=Q(log_archived=False), name="operation_log_kept"),
        ]

    @property
    def is_final(self) -> bool:
        return OperationStatus.of(self.status).look.final

    @property
    def duration(self) -> timedelta | None:
        """From the first pass to the end, or to now while it runs."""
        return (self.finished_at or timezone.now()) - self.started_at if self.started_at else None

    def __str__(self) -> str:
        return f"{OperationKind.of(self.kind).label} {self.deployment_id}"


class StepRun(models.Model):
    """One step of an operation: where it stands and what it last saw."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="steps")
    name = models.CharField(max_length=40)
    title = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=StepState.choices(), default=StepState.PENDING)
    summary = models.CharField(max_length=300, blank=True)
    expected_seconds = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0, help_text="Failed tries in a row that will be tried again.")
    queued_seconds = models.FloatField(default=0, help_text="Waited for others' turn: not counted against its time.")
    next_due_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    token = models.TextField(blank=True, help_text="How to go on following what Azure is doing; up to 20 kB.")
    trouble = models.CharField(max_length=40, blank=True, help_text="The diagnosis of what it waits for, by its code.")
    trouble_since = models.DateTimeField(null=True, blank=True)
    lookout = models.CharField(max_length=200, null=True, help_text="The shared look that tells when this can go on.")
    thing = models.CharField(max_length=400, blank=True, help_text="What to look for there.")
    mark = models.CharField(max_length=100, blank=True, help_text="What it shows as long as nothing has changed.")
    error_message = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["operation", "name"], name="one_run_per_step")]
        indexes = [models.Index(fields=["lookout"], condition=Q(lookout__isnull=False), name="step_on_lookout")]

    @property
    def duration(self) -> timedelta | None:
        return (self.finished_at or timezone.now()) - self.started_at if self.started_at else None

    def __str__(self) -> str:
        return f"{self.operation_id} {self.name}"


class Event(models.Model):
    """One line of an operation's log. Only events.record() writes here; the stream's id is `operation:number`."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="events")
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    level = models.CharField(max_length=10, choices=Level.choices(), default=Level.INFO)
    step = models.CharField(max_length=40, blank=True)
    message = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, db_index=False, related_name="+",
        help_text="Who did or decided it; None: Slipway itself.",
    )  # fmt: skip

    class Meta:
        ordering = ["operation", "number"]
        constraints = [models.UniqueConstraint(fields=["operation", "number"], name="one_event_per_number")]
        indexes = [models.Index(fields=["-at"], condition=Q(by__isnull=False), name="event_of_a_person")]

    def __str__(self) -> str:
        return f"{self.operation_id}:{self.number}"


class LogArchive(models.Model):
    """A stretch of an old log, packed. In the transaction that makes it these lines leave Event: see archive.py."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="archives")
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()
    data = models.BinaryField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["operation", "first"]
        constraints = [models.UniqueConstraint(fields=["operation", "first"], name="one_archive_per_stretch")]

    def __str__(self) -> str:
        return f"{self.operation_id}:{self.first}-{self.last}"


class Resource(models.Model):
    """The ledger: one thing we made, or were about to make, outside."""

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="resources")
    kind = models.CharField(max_length=40)
    cloud_id = models.CharField(max_length=400)
    name = models.CharField(max_length=200)
    intended_at = models.DateTimeField(default=timezone.now, help_text="Written before the call that makes it.")
    seen_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["intended_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["deployment", "kind", "cloud_id"], name="one_ledger_row_per_thing")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class SecretRef(models.Model):
    """Where a secret is: its name and version in the vault, who set it and when. Never a part of the secret.

    A row without a deployment belongs to a request that failed while it was stored; the sweep purges it.
    """

    deployment = models.ForeignKey(Deployment, models.SET_NULL, null=True, related_name="secrets")
    purpose = models.CharField(max_length=30)
    vault_name = models.CharField(max_length=127, unique=True)
    version = models.CharField(max_length=64, blank=True)
    previous_version = models.CharField(max_length=64, blank=True, help_text="What a failed rotation goes back to.")
    state = models.CharField(max_length=16, choices=SecretState.choices(), default=SecretState.PENDING)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    set_at = models.DateTimeField(default=timezone.now)
    purged_at = models.DateTimeField(null=True, blank=True)
    recoverable_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "purpose"], name="one_secret_per_purpose")]
        indexes = [models.Index(fields=["deployment"], condition=Q(state="pending"), name="secret_being_stored")]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.deployment_id}"


class CatalogueEntry(models.Model):
    """What Azure offers, as it was last seen; `problem` says why it could not be seen anew."""

    key = models.CharField(max_length=160, unique=True)
    data = models.JSONField(default=dict)
    fetched_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "catalogue entries"

    def __str__(self) -> str:
        return self.key
