"""Values as the portal and the workshop write them."""

from __future__ import annotations

from typing import Any

HOST = "demo-a1b2c3.uksouth.cloudapp.azure.com"


def one_address() -> dict[str, Any]:
    """Everything on one address with HTTPS by the autohttps pod."""
    return {
        "service": {"type": "ClusterIP"},
        "imageBuilderType": "dind",
        "registry": {"username": "slipwaydemo", "password": "dckr_pat_demo"},
        "config": {
            "BinderHub": {
                "use_registry": True,
                "image_prefix": "slipwaydemo/demo-",
                "base_url": "/services/binder/",
                "hub_url": f"https://{HOST}/",
                "hub_url_local": "http://proxy-http:8000/",
            }
        },
        "jupyterhub": {
            "proxy": {
                "service": {"annotations": {"service.beta.kubernetes.io/azure-dns-label-name": "demo-a1b2c3"}},
                "https": {"enabled": True, "hosts": [HOST], "letsencrypt": {"contactEmail": "ada@example.org"}},
                "secretToken": "b" * 64,
            },
            "hub": {
                "config": {"JupyterHub": {"default_url": "/services/binder/"}},
                "services": {"binder": {"url": "http://binder", "apiToken": "a" * 64}},
            },
        },
    }


def github_sign_in() -> dict[str, Any]:
    values = one_address()
    values["config"]["BinderHub"]["auth_enabled"] = True
    hub = values["jupyterhub"]["hub"]
    values["jupyterhub"] |= {"cull": {"users": False}, "singleuser": {"cmd": "jupyterhub-singleuser"}}
    hub["config"] = {
        "BinderSpawner": {"auth_enabled": True},
        "JupyterHub": {"redirect_to_server": False, "authenticator_class": "github"},
        "GitHubOAuthenticator": {
            "client_id": "id",
            "client_secret": "secret",
            "allowed_organizations": ["slipwayorg"],
        },
    }
    hub["services"]["binder"] |= {
        "oauth_client_id": "service-binderhub",
        "oauth_no_confirm": True,
        "oauth_redirect_uri": f"https://{HOST}/services/binder/oauth_callback",
    }
    hub["loadRoles"] = {"user": {"scopes": ["self", "access:services!service=binder"]}}
    return values
