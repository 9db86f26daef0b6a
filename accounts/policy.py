"""What a person may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from accounts.models import SpendingPolicy, SubscriptionGrant, User


@dataclass(frozen=True)
class Allowance:
    """The most that one person may have: hubs at a time, days a hub stays, cost of a hub per month."""

    max_hubs: int
    max_days: int
    max_monthly_cost: Decimal


#: Holds where an administrator has set nothing.
DEFAULT = Allowance(max_hubs=3, max_days=90, max_monthly_cost=Decimal("1000"))


def allowance(user: User) -> Allowance:
    """The most generous of the person's groups' policies, else everybody's, else the default."""
    policies = list(SpendingPolicy.objects.filter(group__in=user.groups.all()))
    policies = policies or list(SpendingPolicy.objects.filter(group=None))
    if not policies:
        return DEFAULT
    return Allowance(
        max(policy.max_hubs for policy in policies),
        max(policy.max_days for policy in policies),
        max(policy.max_monthly_cost for policy in policies),
    )


def granted_subscriptions(user: User) -> set[str]:
    """Ids, in lower case, of the subscriptions the person may make hubs in; none unless somebody granted one."""
    grants = SubscriptionGrant.objects.filter(Q(group=None) | Q(group__in=user.groups.all()))
    return {grant.subscription_id.lower() for grant in grants}
