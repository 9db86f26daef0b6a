"""Kubeconfigs, and who may come in by them."""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Any

import yaml


def new_token() -> str:
    """As long as AKS's admin tokens are."""
    return secrets.token_hex(64)


def kubeconfig(server: str, name: str, group: str, ca_pem: bytes, token: str) -> bytes:
    """YAML for the admin of one cluster, as listClusterAdminCredential returns it."""
    user = f"clusterAdmin_{group}_{name}"
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {"server": server, "certificate-authority-data": base64.b64encode(ca_pem).decode()},
            }
        ],
        "contexts": [{"name": f"{name}-admin", "context": {"cluster": name, "user": user}}],
        "current-context": f"{name}-admin",
        "preferences": {},
        "users": [{"name": user, "user": {"token": token}}],
    }
    return yaml.safe_dump(document, sort_keys=False).encode()


def allowed(authorization: str | None, token: str) -> bool:
    scheme, _, given = (authorization or "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
