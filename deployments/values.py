"""HubSpec → values of the BinderHub chart. Pure.

It stands here and not in worker/ because pages show the same values, with the secrets masked, before anything runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from deployments.naming import Names
from deployments.spec import HubSpec

DNS_LABEL_ANNOTATION = "service.beta.kubernetes.io/azure-dns-label-name"
BINDER_PATH = "/services/binder/"
PROBE_SERVICE = "slipway-probe"


@dataclass(frozen=True)
class HubSecrets:
    """What the values hold and nobody may see; masked values are made by filling in masks here."""

    docker_token: str
    binder_api_token: str
    proxy_secret_token: str
    probe_api_token: str
    github_secret: str = ""


def hub_values(spec: HubSpec, names: Names, address: str, secrets: HubSecrets) -> dict[str, Any]:
    """The chart's values for this hub.

    One address serves everything: the binder is a service behind the hub's own proxy, so that every name is known
    before the first install (`address` ends with "/").
    """
    https = address.startswith("https:")
    values: dict[str, Any] = {
        # The default builder mounts docker.sock, which AKS nodes do not have.
        "imageBuilderType": "dind",
        "service": {"type": "ClusterIP"},
        # No url: Docker Hub's is the chart's own default, and the one in its documentation does not match.
        "registry": {"username": spec.docker_username, "password": secrets.docker_token},
        "config": {"BinderHub": _binder(spec, address, https)},
        "jupyterhub": {
            "hub": _hub(secrets),
            "proxy": {
                "secretToken": secrets.proxy_secret_token,
                "service": {"annotations": {DNS_LABEL_ANNOTATION: names.dns_label}},
            },
        },
    }
    if https:
        values["jupyterhub"]["proxy"]["https"] = _https(spec, address)
    if spec.access == "github":
        _add_github(values, spec, address, secrets)
    return values


def _binder(spec: HubSpec, address: str, https: bool) -> dict[str, Any]:
    return {
        "use_registry": True,
        "image_prefix": f"{spec.image_namespace}/{spec.image_prefix.rstrip('-')}-",
        "base_url": BINDER_PATH,
        "hub_url": address,
        # With https, port 80 of proxy-public only redirects; proxy-http is where plain requests are served.
        "hub_url_local": "http://proxy-http:8000/" if https else "http://proxy-public/",
    }


def _hub(secrets: HubSecrets) -> dict[str, Any]:
    return {
        "config": {"JupyterHub": {"default_url": BINDER_PATH}},
        "services": {
            "binder": {"url": "http://binder", "apiToken": secrets.binder_api_token},
            PROBE_SERVICE: {"apiToken": secrets.probe_api_token},
        },
        # The proof of life cleans up after itself with this, and signs a probe user in where people must.
        "loadRoles": {
            PROBE_SERVICE: {
                "services": [PROBE_SERVICE],
                "scopes": ["admin:users", "admin:servers", "tokens", "access:services!service=binder"],
            }
        },
    }


def _https(spec: HubSpec, address: str) -> dict[str, Any]:
    return {
        "enabled": True,
        "hosts": [urlsplit(address).hostname],
        "letsencrypt": {"contactEmail": spec.contact_email},
    }


def _add_github(values: dict[str, Any], spec: HubSpec, address: str, secrets: HubSecrets) -> None:
    values["config"]["BinderHub"]["auth_enabled"] = True
    jupyterhub = values["jupyterhub"]
    jupyterhub["cull"] = {"users": False}
    jupyterhub["singleuser"] = {"cmd": "jupyterhub-singleuser"}
    hub = jupyterhub["hub"]
    hub["config"] |= {
        "BinderSpawner": {"auth_enabled": True},
        "JupyterHub": hub["config"]["JupyterHub"] | {"redirect_to_server": False, "authenticator_class": "github"},
        "GitHubOAuthenticator": {
            "client_id": spec.github_client_id,
            "client_secret": secrets.github_secret,
            "oauth_callback_url": oauth_callback(address),
            # Without an allow setting JupyterHub lets nobody in.
            "allowed_organizations": list(spec.github_organisations),
            "scope": ["read:org"],
        },
    }
    hub["services"]["binder"] |= {
        "oauth_client_id": "service-binderhub",
        "oauth_no_confirm": True,
        "oauth_redirect_uri": f"{address.rstrip('/')}{BINDER_PATH}oauth_callback",
    }
    hub["loadRoles"]["user"] = {"scopes": ["self", "access:services!service=binder"]}


def oauth_callback(address: str) -> str:
    """What to enter as *Authorization callback URL* of the GitHub OAuth app."""
    return f"{address.rstrip('/')}/hub/oauth_callback"
