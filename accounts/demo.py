"""Two people to try the portal with, and leave for everybody to use what the portal can see."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import Permission

from accounts.models import SubscriptionGrant, User


def ensure_people() -> dict[str, str]:
    """Makes *researcher* and *admin* where they are missing; returns the passwords of those made now."""
    made: dict[str, str] = {}
    for username, first_name in (("researcher", "Robin"), ("admin", "Alex")):
        if User.objects.filter(username=username).exists():
            continue
        password = made[username] = secrets.token_urlsafe(9)
        is_admin = username == "admin"
        user = User.objects.create_user(
            username,
            f"{username}@example.org",
            password,
            first_name=first_name,
            last_name="Researcher" if not is_admin else "Admin",
            is_staff=is_admin,
            is_superuser=is_admin,
        )
        if is_admin:
            user.user_permissions.add(Permission.objects.get(codename="review_deployment"))
    return made


def grant_to_everybody(subscription_ids: list[str]) -> None:
    for subscription_id in subscription_ids:
        SubscriptionGrant.objects.get_or_create(subscription_id=subscription_id.lower(), group=None)
