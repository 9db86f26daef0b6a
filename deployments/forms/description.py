"""From what was typed to a hub's description and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from deployments.services import DOCKER_TOKEN, GITHUB_SECRET, PRIVATE_TOKEN
from deployments.spec import HubSpec

#: Fields of the form that are the description's own, by what an empty one stands for.
TEXTS = (
    "name", "purpose", "subscription_id", "region", "node_size", "kubernetes_version", "image_prefix",
    "docker_username", "docker_organisation", "registry_address", "registry_project", "registry_username",
    "registry_token_url", "github_client_id", "domain", "user_node_size", "title", "banner",
    "template_repository", "template_branch", "overlay",
)  # fmt: skip
NUMBERS = (
    "node_count", "storage_gib", "os_disk_gib", "user_nodes_min", "user_nodes_max",
    "user_memory_gib", "user_cpus", "idle_minutes", "most_sessions",
)  # fmt: skip
SEVERAL = ("github_organisations", "allowed_repositories", "banned_repositories")
#: The choices that decide which other fields count; the first answer holds where none was given.
CHOICES = {
    "registry": ("dockerhub", "acr", "other"),
    "access": ("public", "github", "everyone"),
    "pools": ("one", "two"),
    "tier": ("Free", "Standard"),
    "private_repositories": (False, True),
}
#: field → the choice it belongs to, and the answers for which it counts.
BELONGS: dict[str, tuple[str, tuple[Any, ...]]] = {
    **dict.fromkeys(("docker_username", "docker_token", "docker_organisation"), ("registry", ("dockerhub",))),
    **dict.fromkeys(
        ("registry_address", "registry_username", "registry_token", "registry_token_url"), ("registry", ("other",))
    ),
    "registry_project": ("registry", ("acr", "other")),
    **dict.fromkeys(("github_client_id", "github_secret"), ("access", ("github", "everyone"))),
    "github_organisations": ("access", ("github",)),
    "private_token": ("private_repositories", (True,)),
    **dict.fromkeys(("user_node_size", "user_nodes_min", "user_nodes_max"), ("pools", ("two",))),
}
#: Without these a choice makes no sense.
NEEDED = {
    "docker_username": "Please fill this in.",
    "docker_token": "Please fill this in.",
    "registry_address": "Please fill this in.",
    "registry_username": "Please fill this in.",
    "registry_token": "Please fill this in.",
    "github_client_id": "Copy the client ID from your OAuth app's page on GitHub.",
    "github_secret": "Make a client secret on your OAuth app's page on GitHub and copy it here.",
    "github_organisations": "Name at least one organisation: with none, nobody could sign in.",
    "private_token": "Make a token on GitHub that may read the repositories and copy it here.",
    "user_node_size": "Choose a size for the nodes that people work on.",
    "user_nodes_max": "Say how many nodes there may be at the most.",
}


def answer(values: Mapping[str, Any], choice: str) -> Any:
    """What was chosen, or what holds where nothing was."""
    return values.get(choice) or CHOICES[choice][0]


def counts(values: Mapping[str, Any], field: str) -> bool:
    """Whether the field belongs to a choice that was taken."""
    if field not in BELONGS:
        return True
    choice, answers = BELONGS[field]
    return answer(values, choice) in answers


def described(values: Mapping[str, Any], **more: Any) -> HubSpec:
    """The description that typed values make, as far as they go; `more` are fields that nobody types."""
    made: dict[str, Any] = {name: values.get(name) or "" for name in TEXTS if counts(values, name)}
    made |= {name: values.get(name) or 0 for name in NUMBERS if counts(values, name)}
    made |= {name: values.get(name) or () for name in SEVERAL if counts(values, name)}
    access = answer(values, "access")
    return HubSpec(
        **made,
        **more,
        keep_until=values["keep_until"],
        registry=answer(values, "registry"),
        tier=answer(values, "tier"),
        access="public" if access == "public" else "github",
        github_everyone=access == "everyone",
        private_repositories=answer(values, "private_repositories"),
    )


def typed(spec: HubSpec) -> dict[str, Any]:
    """What a person would type for such a hub; empty where the description leaves a matter open."""
    values = {name: value for name, value in asdict(spec).items() if value not in (0, "", ())}
    values |= {"pools": "two" if spec.has_user_pool else "one", "user_nodes_min": spec.user_nodes_min}
    if spec.github_everyone:
        values["access"] = "everyone"
    return values


def secret_fields(spec: HubSpec) -> dict[str, str]:
    """purpose → the field in which the person's secret for it is typed, as far as such a hub needs any."""
    fields = {}
    if spec.registry != "acr":
        fields[DOCKER_TOKEN] = "docker_token" if spec.registry == "dockerhub" else "registry_token"
    if spec.signs_in:
        fields[GITHUB_SECRET] = "github_secret"
    if spec.private_repositories:
        fields[PRIVATE_TOKEN] = "private_token"
    return fields
