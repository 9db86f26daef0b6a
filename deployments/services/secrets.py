"""Secrets on their way into the vault. The database knows each one's place before the vault is asked."""

from __future__ import annotations

import json
import secrets as tokens
from collections.abc import Mapping

from django.utils import timezone

from accounts.models import User
from deployments import naming, outside
from deployments.models import Deployment, SecretRef
from deployments.redaction import remember
from deployments.states import SecretState

#: What the vault keeps for a hub: the person's secrets, the tokens its parts know one another by (JSON), and the
#: password that Azure's registry made for it.
DOCKER_TOKEN, GITHUB_SECRET, PRIVATE_TOKEN = "docker-token", "github-secret", "private-token"
HUB_TOKENS, REGISTRY_TOKEN = "hub-tokens", "registry-token"


def hub_tokens() -> str:
    """New tokens for the parts of one hub."""
    names = ("binder_api_token", "proxy_secret_token", "probe_api_token")
    return json.dumps({name: tokens.token_hex(32) for name in names})


def note_places(deployment: Deployment, user: User, values: Mapping[str, str]) -> None:
    """Makes the rows of secrets that are not in the vault yet; those that are keep theirs."""
    present = set(deployment.secrets.values_list("purpose", flat=True))
    attempt = tokens.token_hex(3)
    SecretRef.objects.bulk_create(
        SecretRef(
            deployment=deployment,
            purpose=purpose,
            vault_name=naming.secret_name(deployment.id, purpose, attempt),
            set_by=user,
        )
        for purpose in values
        if purpose not in present
    )


def store(deployment: Deployment, user: User, values: Mapping[str, str]) -> None:
    """Puts each value into the vault as its secret's newest version, remembering which one was there before.

    :raises SlipwayError: the vault could not take one.
    """
    for value in values.values():
        remember(value)
    tags = {naming.OWNER_TAG: str(deployment.id)}
    for ref in deployment.secrets.filter(purpose__in=list(values)):
        version = outside.vault().set(ref.vault_name, values[ref.purpose], tags)
        SecretRef.objects.filter(id=ref.id).update(
            state=SecretState.STORED, version=version, previous_version=ref.version, set_by=user, set_at=timezone.now()
        )


def go_back(deployment: Deployment) -> int:
    """Makes the versions from before the last change count again; returns how many there were."""
    count = 0
    for ref in deployment.secrets.exclude(previous_version=""):
        count += SecretRef.objects.filter(id=ref.id, version=ref.version).update(
            version=ref.previous_version, previous_version=""
        )
    return count
