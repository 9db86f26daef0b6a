"""People, what their groups may spend, and which subscriptions they may use."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.models import AbstractUser, Group
from django.db import models


class User(AbstractUser):
    """A person who signs in."""

    email = models.EmailField("e-mail address", blank=True)

    @property
    def may_review(self) -> bool:
        """Whether this person decides about requests and sees everybody's hubs."""
        return self.is_active and self.has_perm("deployments.review_deployment")

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class SpendingPolicy(models.Model):
    """What each member of a group may ask for; the row without a group holds for everybody else."""

    group = models.OneToOneField(Group, models.CASCADE, null=True, blank=True, related_name="spending_policy")
    max_hubs = models.PositiveSmallIntegerField("hubs at a time", default=3)
    max_days = models.PositiveSmallIntegerField("longest stay in days", default=90)
    max_monthly_cost = models.DecimalField(
        "highest cost of one hub a month", max_digits=9, decimal_places=2, default=Decimal("1000")
    )

    class Meta:
        verbose_name_plural = "spending policies"

    def __str__(self) -> str:
        return f"Spending policy of {self.group or 'everybody'}"


class SubscriptionGrant(models.Model):
    """Lets a group (or, without one, everybody) make hubs in an Azure subscription."""

    subscription_id = models.CharField("Azure subscription id", max_length=36)
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="subscription_grants")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription_id", "group"], name="one_grant_per_group")]

    def __str__(self) -> str:
        return f"{self.subscription_id} for {self.group or 'everybody'}"
