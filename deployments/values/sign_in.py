"""Who may use the hub, and what signed-in people get."""

from __future__ import annotations

from typing import Any

from deployments.spec import HubSpec
from deployments.values.secrets import HubSecrets


def github_values(spec: HubSpec, address: str, binder_path: str, secrets: HubSecrets) -> dict[str, Any]:
    """Sign-in with GitHub: for members of organisations, or for everyone who has an account there."""
    # Without an allow setting JupyterHub lets nobody in.
    let_in: dict[str, Any] = (
        {"allow_all": True}
        if spec.github_everyone
        else {"allowed_organizations": list(spec.github_organisations), "scope": ["read:org"]}
    )
    authenticator = {
        "client_id": spec.github_client_id,
        "client_secret": secrets.github_secret,
        "oauth_callback_url": oauth_callback(address),
        **let_in,
    }
    hub = {
        "config": {
            "BinderSpawner": {"auth_enabled": True},
            "JupyterHub": {"redirect_to_server": False, "authenticator_class": "github"},
            "GitHubOAuthenticator": authenticator,
        },
        "services": {
            "binder": {
                "oauth_client_id": "service-binderhub",
                "oauth_no_confirm": True,
                "oauth_redirect_uri": f"{address.rstrip('/')}{binder_path}oauth_callback",
            }
        },
        "loadRoles": {"user": {"scopes": ["self", "access:services!service=binder"]}},
    }
    singleuser: dict[str, Any] = {"cmd": "jupyterhub-singleuser"}
    if spec.storage_gib:
        singleuser["storage"] = {
            "type": "dynamic",
            "homeMountPath": "/home/jovyan/persistent",
            "capacity": f"{spec.storage_gib}Gi",
        }
    return {
        "config": {"BinderHub": {"auth_enabled": True}},
        "jupyterhub": {"cull": {"users": False}, "singleuser": singleuser, "hub": hub},
    }


def oauth_callback(address: str) -> str:
    """What to enter as *Authorization callback URL* of the GitHub OAuth app."""
    return f"{address.rstrip('/')}/hub/oauth_callback"
