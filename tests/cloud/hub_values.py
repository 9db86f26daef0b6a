"""Values for the smallest hub that works, as the portal renders them."""

from typing import Any

CHART = "binderhub"


def hub_values(hub_url: str, label: str) -> dict[str, Any]:
    return {
        "imageBuilderType": "dind",
        "service": {"type": "ClusterIP"},
        "registry": {"username": "slipwaydemo", "password": "dckr_pat_demo"},
        "config": {
            "BinderHub": {
                "use_registry": True,
                "image_prefix": "slipwaydemo/binder-",
                "base_url": "/services/binder/",
                "hub_url": hub_url,
                "hub_url_local": "http://proxy-public/",
            }
        },
        "jupyterhub": {
            "proxy": {
                "secretToken": "a" * 32 + "0123456789abcdef" * 2,
                "service": {"annotations": {"service.beta.kubernetes.io/azure-dns-label-name": label}},
            },
            "hub": {
                "config": {"JupyterHub": {"default_url": "/services/binder/"}},
                "services": {"binder": {"url": "http://binder", "apiToken": "b" * 32}},
            },
        },
    }
