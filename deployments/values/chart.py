"""All the values of one hub, put together."""

from __future__ import annotations

from functools import reduce
from typing import Any
from urllib.parse import urlsplit

from deployments.naming import Names
from deployments.spec import HubSpec
from deployments.values.limits import limit_values, node_values
from deployments.values.look import look_values
from deployments.values.merging import merged
from deployments.values.overlay import overlay_values
from deployments.values.registry import registry_values
from deployments.values.secrets import HubSecrets
from deployments.values.sign_in import github_values

DNS_LABEL_ANNOTATION = "service.beta.kubernetes.io/azure-dns-label-name"
BINDER_PATH = "/services/binder/"
PROBE_SERVICE = "slipway-probe"


def hub_values(
    spec: HubSpec, names: Names, address: str, secrets: HubSecrets, registry_host: str = ""
) -> dict[str, Any]:
    """The chart's values for this hub.

    One address serves everything: the binder is a service behind the hub's own proxy, so that every name is known
    before the first install (`address` ends with "/"). `registry_host` is the registry's host where that is not
    Docker Hub.
    """
    https = address.startswith("https:")
    parts: list[dict[str, Any]] = [
        _base(names, address, https, secrets),
        registry_values(spec, names, registry_host or spec.registry_address, secrets),
        limit_values(spec),
        node_values(spec),
        look_values(spec, BINDER_PATH),
    ]
    if https:
        parts.append(_https(spec, address))
    if spec.signs_in:
        parts.append(github_values(spec, address, BINDER_PATH, secrets))
    if spec.private_repositories:
        parts.append({"config": {"GitHubRepoProvider": {"access_token": secrets.private_token}}})
    return reduce(merged, [*parts, overlay_values(spec.overlay)])


def _base(names: Names, address: str, https: bool, secrets: HubSecrets) -> dict[str, Any]:
    binder = {
        "base_url": BINDER_PATH,
        "hub_url": address,
        # With https, port 80 of proxy-public only redirects; proxy-http is where plain requests are served.
        "hub_url_local": "http://proxy-http:8000/" if https else "http://proxy-public/",
    }
    return {
        # The default builder mounts docker.sock, which AKS nodes do not have.
        "imageBuilderType": "dind",
        "service": {"type": "ClusterIP"},
        "config": {"BinderHub": binder},
        "jupyterhub": {
            "hub": _hub(secrets),
            "proxy": {
                "secretToken": secrets.proxy_secret_token,
                "service": {"annotations": {DNS_LABEL_ANNOTATION: names.dns_label}},
            },
        },
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
    https = {
        "enabled": True,
        "hosts": [urlsplit(address).hostname],
        "letsencrypt": {"contactEmail": spec.contact_email},
    }
    return {"jupyterhub": {"proxy": {"https": https}}}
