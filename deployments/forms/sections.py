"""The form's sections, in the order of the page."""

from __future__ import annotations

HUB = ("name", "purpose", "keep_until")
PLACE = ("subscription_id", "region", "node_size", "node_count", "kubernetes_version")
#: Those that open and close. The first two are open from the start: most hubs need an answer there.
FOLDED = {
    "registry": (
        "registry", "docker_username", "docker_token", "docker_organisation", "registry_address", "registry_username",
        "registry_token", "registry_token_url", "registry_project", "image_prefix",
    ),
    "people": ("access", "github_client_id", "github_secret", "github_organisations"),
    "address": ("domain",),
    "private": ("private_repositories", "private_token", "storage_gib"),
    "nodes": ("pools", "user_node_size", "user_nodes_min", "user_nodes_max", "os_disk_gib", "tier"),
    "look": ("title", "banner", "template_repository", "template_branch"),
    "limits": (
        "user_memory_gib", "user_cpus", "idle_minutes", "most_sessions", "allowed_repositories", "banned_repositories",
    ),
    "expert": ("overlay",),
}  # fmt: skip
OPEN_AT_FIRST = ("registry", "people")
ORDER = (*HUB, *PLACE, *(name for fields in FOLDED.values() for name in fields))
SECRETS = ("docker_token", "registry_token", "github_secret", "private_token")
#: Where a live check of secrets shows what came of it: section → the secrets that it sends.
CHECKED = {
    "registry": ("docker_token", "registry_token"),
    "people": ("github_secret",),
    "private": ("private_token",),
}


def section_of(field: str) -> str:
    """The section that a field is in; "" for those always in sight."""
    return next((key for key, fields in FOLDED.items() if field in fields), "")
