"""What is installed in a namespace, read from the cluster's objects as the hub's own pods would see it."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import Any

import yaml

Body = dict[str, Any]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Installed:
    """One hub: the namespace of one cluster that holds a `proxy-public` Service. Cheap to make; keeps nothing."""

    def __init__(self, objects: Any, cluster: str, namespace: str) -> None:
        self.objects, self.cluster, self.namespace = objects, cluster, namespace

    @property
    def key(self) -> str:
        """Prefix of everything kept about this hub."""
        return f"{self.cluster}/{self.namespace}/"

    def get(self, resource: str, name: str) -> Body | None:
        found: Body | None = self.objects.get(resource, self.namespace, name)
        return found

    def pods(self, **labels: str) -> list[Body]:
        return [pod for pod in self.objects.list("pods", self.namespace) if _bears(pod, labels)]

    def serves(self, service: str) -> bool:
        """Whether a ready pod stands behind the Service."""
        found = self.get("services", service)
        selector = (found or {}).get("spec", {}).get("selector")
        return bool(selector) and any(is_ready(pod) for pod in self.pods(**selector))

    def service_port(self, service: str, port: int) -> bool:
        found = self.get("services", service)
        return bool(found) and any(entry["port"] == port for entry in found["spec"]["ports"])

    def secret(self, name: str, key: str) -> str | None:
        """The decoded text of a Secret's entry, None where there is none."""
        found = self.get("secrets", name)
        encoded = ((found or {}).get("data") or {}).get(key)
        return None if encoded is None else base64.b64decode(encoded).decode("utf-8", "replace")

    @property
    def values(self) -> Body:
        """What the hub's program was told: the rendered `jupyterhub` values."""
        return _parsed(self.secret("hub", "values.yaml") or "")

    @property
    def hub_config(self) -> Body:
        config: Body = self.values.get("hub", {}).get("config") or {}
        return config

    @property
    def binder(self) -> Body:
        """What the binder's program was told: config, imageBuilderType, dind …"""
        return _parsed(self.secret("binder-secret", "values.yaml") or "")

    @property
    def binder_settings(self) -> Body:
        settings: Body = (self.binder.get("config") or {}).get("BinderHub") or {}
        return settings

    def config_of(self, section: str) -> Body:
        section_config: Body = (self.binder.get("config") or {}).get(section) or {}
        return section_config

    @property
    def docker_config(self) -> Body:
        text = self.secret("binder-build-docker-config", "config.json")
        config: Body = json.loads(text) if text else {}
        return config

    @property
    def services(self) -> dict[str, Body]:
        """The hub's services by name; each has its `api_token`."""
        found = self.values.get("hub", {}).get("services") or {}
        return {
            (service.get("name") or key): service | {"api_token": self.secret("hub", f"hub.services.{key}.apiToken")}
            for key, service in found.items()
        }

    @property
    def base_url(self) -> str:
        """Where the hub lives on its address; ends with a slash."""
        return str(self.values.get("hub", {}).get("baseUrl") or "/").rstrip("/") + "/"

    @property
    def binder_token(self) -> str:
        """What the binder shows the hub: its own setting, else JUPYTERHUB_API_TOKEN of its environment."""
        if self.binder_settings.get("hub_api_token"):
            return str(self.binder_settings["hub_api_token"])
        env = self._binder_environment()
        entry = env.get("JUPYTERHUB_API_TOKEN", {})
        if "value" in entry:
            return str(entry["value"])
        reference = entry.get("valueFrom", {}).get("secretKeyRef", {})
        return self.secret(reference.get("name", ""), reference.get("key", "")) or ""

    def _binder_environment(self) -> dict[str, Body]:
        deployment = self.get("deployments", "binder")
        if deployment is None:
            return {}
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        return {entry["name"]: entry for entry in container.get("env") or []}


def is_ready(pod: Body) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _bears(pod: Body, labels: dict[str, str]) -> bool:
    return labels.items() <= (pod["metadata"].get("labels") or {}).items()


@lru_cache(maxsize=64)
def _parsed(text: str) -> Body:
    return yaml.load(text, _Loader) or {}
