"""Names derived from a hub's name, and the rules they obey. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

#: Everything that can bear a tag carries this one, with the deployment's id.
OWNER_TAG = "slipway-deployment"

#: Longest hub name: the node group MC_slipway-<name>-<6>_<name>_<region> may have 80 characters, a region's name 17.
NAME_LENGTH = (3, 20)
NAME_PATTERN = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
RESERVED = frozenset(
    {
        "default",
        "on",
        "off",
        "yes",
        "no",
        "true",
        "false",
        "null",
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "gatekeeper-system",
    }
)
#: Azure refuses these words anywhere in a DNS label or a group's name (ReservedResourceName).
TRADEMARKS = ("microsoft", "windows", "login", "xbox", "azure", "office", "bing")

SECRET_NAME = re.compile(r"([0-9a-f]{32})-[0-9a-z-]+")
DOCKER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,28}[a-z0-9])?")
IMAGE_PREFIX = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*-?")


@dataclass(frozen=True)
class Names:
    """What a hub's things are called in the cloud; the whole of it is known before anything exists."""

    owner: str
    group: str
    cluster: str
    dns_label: str
    release: str
    namespace: str
    registry: str

    @property
    def tags(self) -> dict[str, str]:
        return {OWNER_TAG: self.owner, "created-by": "slipway"}


def suffix(deployment_id: UUID) -> str:
    """Six hexadecimal digits that make a name unique in a region."""
    return deployment_id.hex[:6]


def derive(name: str, deployment_id: UUID) -> Names:
    unique = f"{name}-{suffix(deployment_id)}"
    return Names(
        owner=str(deployment_id),
        group=f"slipway-{unique}",
        cluster=name,
        dns_label=unique,
        release=name,
        namespace=name,
        # Unique in all of Azure, 5 to 50 letters and digits.
        registry=f"slipway{name.replace('-', '')}{suffix(deployment_id)}",
    )


def secret_name(deployment_id: UUID, purpose: str, attempt: str) -> str:
    """A vault secret's name: letters, digits and hyphens, at most 127 characters.

    `attempt` keeps a second try of the same form away from the first one's name, which may be in soft delete by then.
    """
    return f"{deployment_id.hex}-{purpose}-{attempt}"


def secret_owner(name: str) -> UUID | None:
    """The deployment under whose id a secret of the vault stands; None for a name that is not one of ours."""
    found = SECRET_NAME.fullmatch(name)
    return UUID(found[1]) if found else None


def problem_with_hub_name(name: str) -> str:
    """A sentence that says what is wrong with the name, or "" when nothing is."""
    shortest, longest = NAME_LENGTH
    if not shortest <= len(name) <= longest:
        return f"A hub's name has {shortest} to {longest} characters; this one has {len(name)}."
    if not NAME_PATTERN.fullmatch(name):
        return "Use small letters, digits and hyphens only; start with a letter and end with a letter or digit."
    if "--" in name:
        return "Use single hyphens: Azure refuses two in a row in some names."
    if name in RESERVED:
        return f"Kubernetes keeps the name {name} for itself. Choose another one."
    if word := next((word for word in TRADEMARKS if word in name), None):
        return f"Azure does not allow the word “{word}” in names. Choose another one."
    return ""


def problem_with_docker_username(username: str) -> str:
    """A sentence that says what is wrong with a Docker Hub user or organisation, or ""."""
    if "@" in username:
        return (
            "This is an e-mail address. Docker Hub signs people in by their username here, because it becomes part"
            " of every image's name. You find yours under Account settings on hub.docker.com."
        )
    if not DOCKER_NAME.fullmatch(username):
        return "Docker Hub names have small letters, digits, hyphens and underscores only."
    return ""


def problem_with_image_prefix(prefix: str) -> str:
    """A sentence that says what is wrong with an image prefix, or ""."""
    if len(prefix) > 60 or not IMAGE_PREFIX.fullmatch(prefix):
        return "Use small letters and digits, with single dots, underscores or hyphens between them; at most 60."
    return ""
