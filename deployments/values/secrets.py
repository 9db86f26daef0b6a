"""What the values hold and nobody may see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HubSecrets:
    """Every secret of one hub's values; masked values are made by filling in masks here."""

    binder_api_token: str
    proxy_secret_token: str
    probe_api_token: str
    #: The registry's password: the person's (Docker Hub, another registry) or the one made for the hub (Azure's).
    docker_token: str = ""
    github_secret: str = ""
    private_token: str = ""
