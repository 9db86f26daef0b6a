"""What an operator would hand the portal: a profile of endpoints, and an identity for each of its two processes."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from sandbox import seeds
from sandbox.config import Config


def profile(config: Config, ca_path: Path) -> dict[str, Any]:
    origin, scheme = config.origin, "https" if config.https else "http"
    hub = f"{scheme}://127.{{h1}}.{{h2}}.{{h3}}:{config.hub_port}/"
    return {
        "name": "sandbox",
        "authority": origin,
        "arm": origin,
        "arm_scope": "https://management.azure.com/.default",
        "vault_suffix": "",
        "prices": f"{origin}/api/retail/prices",
        "docker_hub_auth": f"{origin}/dockerhub-auth",
        "docker_hub_registry": f"{origin}/dockerhub",
        "docker_hub_service": "registry.docker.io",
        "github": f"{origin}/github",
        "github_api": f"{origin}/github-api",
        "chart_repository": config.chart_repository or f"{origin}/charts/",
        "chart_version": config.chart_version,
        "dns": f"{origin}/dns/resolve",
        "hub_address": hub,
        "domain_address": hub,
        "hub_https": config.https,
        "acr_host": f"127.{{h1}}.{{h2}}.{{h3}}:{config.port}",
        "azure_portal": "https://portal.azure.com",
        "currency": "GBP",
        "ca_bundle": str(ca_path),
        "instance_discovery": False,
        "verify_challenge_resource": False,
    }


def write(config: Config, ca_path: Path) -> None:
    """Writes profile.json, portal.env, web.env, worker.env and the two client secrets (made once, mode 600)."""
    home = config.home
    profile_path = home / "profile.json"
    profile_path.write_text(json.dumps(profile(config, ca_path), indent=2) + "\n")
    _write_env(
        home / "portal.env",
        AZURE_CLOUD_PROFILE=profile_path,
        AZURE_KEY_VAULT_URL=f"{config.origin}/kv/{seeds.PORTAL_VAULT}/",
        AZURE_TENANT_ID=seeds.TENANT_ID,
    )
    for name, client_id in (("web", seeds.WEB_CLIENT_ID), ("worker", seeds.WORKER_CLIENT_ID)):
        secret = client_secret_path(home, name)
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(24))
        _write_env(home / f"{name}.env", AZURE_CLIENT_ID=client_id, AZURE_CLIENT_SECRET_FILE=secret)


def client_secret_path(home: Path, name: str) -> Path:
    """Where the secret of the *web* or *worker* service principal lies."""
    return home / f"{name}-client-secret"


def _write_env(path: Path, **values: object) -> None:
    path.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
