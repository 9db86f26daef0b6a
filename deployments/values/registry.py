"""Where images are stored."""

from __future__ import annotations

from typing import Any

from deployments.naming import Names
from deployments.spec import HubSpec
from deployments.values.secrets import HubSecrets

#: The token of an Azure Container Registry that the hub pushes with; its name is what it signs in by.
ACR_USER = "slipway"


def registry_values(spec: HubSpec, names: Names, host: str, secrets: HubSecrets) -> dict[str, Any]:
    """`registry` and what the binder must know to find images in it. `host` matters for all but Docker Hub."""
    values: dict[str, Any] = {
        "registry": {"username": username(spec), "password": secrets.docker_token},
        "config": {"BinderHub": {"use_registry": True, "image_prefix": image_prefix(spec, names, host)}},
    }
    if spec.registry == "dockerhub":
        return (
            values  # no url: Docker Hub's is the chart's own default, and the one in its documentation does not match
        )
    values["registry"] = {"url": f"https://{host}"} | values["registry"]
    if spec.registry == "other":
        told: dict[str, Any] = {"url": f"https://{host}"}
        if spec.registry_token_url:
            told["token_url"] = spec.registry_token_url
        # For Azure's the binder finds the token address by itself; naming it makes the registry refuse with 400.
        values["config"]["DockerRegistry"] = told
    return values


def username(spec: HubSpec) -> str:
    """Who signs in to the registry."""
    return {"dockerhub": spec.docker_username, "acr": ACR_USER, "other": spec.registry_username}[spec.registry]


def image_prefix(spec: HubSpec, names: Names, host: str) -> str:
    """How every image's name begins. Without a level between host and prefix the binder would rebuild every time."""
    prefix = f"{spec.image_prefix.rstrip('-')}-"
    if spec.registry == "dockerhub":
        return f"{spec.image_namespace}/{prefix}"
    return f"{host}/{spec.registry_project or names.release}/{prefix}"
