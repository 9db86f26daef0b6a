"""How these tests drive a simulated cluster: by the real client and the real Helm."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes
import pytest
import yaml

from tests.sandbox_process import SandboxProcess, helm_binary

PATIENCE = 15.0
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: small\nversion: 0.1.0\n",
    "values.yaml": "replicas: 1\ntag: '1'\nextra: {}\n",
    "templates/all.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {tag: "{{ .Values.tag }}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: "example/web:{{ .Values.tag }}"
          ports: [{containerPort: 8080}]
      {{- with .Values.extra }}{{ toYaml . | nindent 6 }}{{ end }}
""",
}


class Cluster:
    """One cluster and clients for it."""

    def __init__(self, sandbox: SandboxProcess, name: str, **about: Any) -> None:
        self.sandbox, self.key = sandbox, name
        sandbox.control("kubernetes/clusters", {"name": name, **about})
        self.kubeconfig = _get(sandbox, f"/_sandbox/kubernetes/clusters/{name}/kubeconfig")
        self.api = kubernetes.config.new_client_from_config_dict(yaml.safe_load(self.kubeconfig))
        self.core = kubernetes.client.CoreV1Api(self.api)
        self.apps = kubernetes.client.AppsV1Api(self.api)

    def close(self) -> None:
        self.api.close()

    def ready_nodes(self) -> list[Any]:
        nodes = self.core.list_node().items
        return [node for node in nodes if any(c.type == "Ready" and c.status == "True" for c in node.status.conditions)]

    def make_namespace(self, name: str) -> None:
        self.core.create_namespace({"metadata": {"name": name}})
        self.until(lambda: self.core.read_namespaced_service_account("default", name))

    def until(self, condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """What `condition` says once it says something true; a 404 is not yet true."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                if found := condition():
                    return found
            except kubernetes.client.ApiException as error:
                if error.status != 404:
                    raise
            time.sleep(0.02)
        raise AssertionError("the condition never came true")

    def reasons(self, namespace: str) -> set[str]:
        return {event.reason for event in self.core.list_namespaced_event(namespace).items}

    def raw(self, method: str, path: str, body: Any = None, media: str = "application/json", **query: str) -> Any:
        """A call the typed client has no method for; returns its JSON."""
        content = json.dumps(body) if media.endswith("yaml") else body
        headers = {"Content-Type": media, "Accept": "application/json"}
        prepared = self.api.param_serialize(
            method, path, query_params=list(query.items()), header_params=headers, auth_settings=["BearerToken"]
        )
        response = self.api.rest_client.request(prepared[0], prepared[1], headers=prepared[2], body=content)
        response.read()
        return self.api.response_deserialize(response, {"default": "object"}).data

    def apply(self, path: str, body: Any, manager: str = "helm", **query: str) -> Any:
        """A server-side apply."""
        settings = {"fieldManager": manager, "fieldValidation": "Strict", **query}
        return self.raw("PATCH", path, body, "application/apply-patch+yaml", **settings)


class Release:
    """One Helm release of the small chart."""

    def __init__(self, cluster: Cluster, name: str, folder: Path) -> None:
        self.cluster, self.name, self._folder = cluster, name, folder
        self.chart = folder / "chart"
        for file, text in CHART.items():
            path = self.chart / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._kubeconfig = folder / "kubeconfig"
        self._kubeconfig.touch(mode=0o600)
        self._kubeconfig.write_bytes(cluster.kubeconfig)

    def helm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        homes = {f"HELM_{part}_HOME": str(self._folder / part.lower()) for part in ("CACHE", "CONFIG", "DATA")}
        environment = {"KUBECONFIG": str(self._kubeconfig), "KUBECACHEDIR": str(self._folder / "discovery"), **homes}
        environment |= {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._folder)}
        command = [str(helm_binary()), *arguments, "--namespace", self.name]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def ok(self, *arguments: str) -> str:
        done = self.helm(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def install(self, *more: str) -> str:
        return self.ok("upgrade", "--install", self.name, str(self.chart), "--create-namespace", *more)

    def history(self) -> list[dict[str, Any]]:
        history: list[dict[str, Any]] = json.loads(self.ok("history", self.name, "-o", "json"))
        return history

    def tag(self) -> str:
        return str(self.cluster.core.read_namespaced_config_map("settings", self.name).data["tag"])


def refused(call: Callable[[], Any]) -> dict[str, Any]:
    """The Status a call is refused with."""
    with pytest.raises(kubernetes.client.ApiException) as caught:
        call()
    status: dict[str, Any] = json.loads(caught.value.body)
    assert status["kind"] == "Status"
    assert status["code"] == caught.value.status
    return status


def deployment(name: str = "web", **spec: Any) -> dict[str, Any]:
    """A small Deployment; keywords replace fields of its spec."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "example/c:1"}]}}
    full = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template} | spec
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": full}


def balanced(name: str, label: str) -> dict[str, Any]:
    """A load-balancer Service that asks for a DNS label."""
    annotations = {"service.beta.kubernetes.io/azure-dns-label-name": label}
    return {
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"type": "LoadBalancer", "selector": {"app": name}, "ports": [{"port": 80}]},
    }


def _get(sandbox: SandboxProcess, path: str) -> bytes:
    with urllib.request.urlopen(sandbox.origin + path, context=sandbox._trust()) as answer:
        content: bytes = answer.read()
    return content
