"""A hub as a test installs and uses it: real Helm, then HTTP at its address."""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from sandbox.charts import package
from tests.sandbox_process import SandboxProcess, helm_binary

EVENTS = {"Accept": "text/event-stream"}
REPOSITORY = "gh/binder-examples/requirements/HEAD"
Body = dict[str, Any]


def until(condition: Callable[[], Any], what: str, seconds: float = 15) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.03)
    raise AssertionError(f"did not happen in {seconds} s: {what}")


def merged(base: Body, change: Body) -> Body:
    """`base` with `change` on top; None takes a key away."""
    out = dict(base)
    for key, value in change.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merged(out.get(key) or {}, value) if isinstance(value, dict) else value
    return out


class Cluster:
    """One simulated cluster, and Helm pointed at it."""

    def __init__(self, sandbox: SandboxProcess, name: str, home: Path) -> None:
        self.sandbox, self.home = sandbox, home
        pools = [{"name": "nodepool1", "count": 3, "vmSize": "Standard_D4s_v3"}]
        self.key = sandbox.control("kubernetes/clusters", {"name": name, "region": "uksouth", "pools": pools})["key"]
        self.kubeconfig = home / f"{self.key}.yaml"
        self.kubeconfig.write_bytes(sandbox.read(f"kubernetes/clusters/{self.key}/kubeconfig"))

    def helm(self, *arguments: str, values: Body | None = None) -> None:
        command = [str(helm_binary()), *arguments, "--kubeconfig", str(self.kubeconfig)]
        environment = os.environ | {"HELM_CACHE_HOME": str(self.home / "helm"), "KUBECACHEDIR": str(self.home / "kube")}
        done = subprocess.run(
            command, input=json.dumps(values or {}), text=True, capture_output=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.sandbox.ca))

    def symptom(self, namespace: str, pod: str, kind: str) -> None:
        wish = {"cluster": self.key, "namespace": namespace, "pod": pod, "kind": kind}
        self.sandbox.control("kubernetes/symptoms", wish)

    def heal(self) -> None:
        self.sandbox.control("kubernetes/symptoms", method="DELETE")

    def objects(self, resource: str, namespace: str) -> list[Body]:
        found: list[Body] = self._ask("GET", f"{namespace}/{resource}").json()["items"]
        return found

    def delete_namespace(self, namespace: str) -> None:
        self._ask("DELETE", namespace)

    def _ask(self, method: str, path: str) -> httpx.Response:
        """Below /api/v1/namespaces, with the cluster's own kubeconfig as anybody would."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        url = f"{config['clusters'][0]['cluster']['server']}/api/v1/namespaces/{path}"
        headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        return httpx.request(method, url, headers=headers, verify=self.trust)


class Hub:
    """One release. `change` is laid over values that work."""

    def __init__(self, cluster: Cluster, archive: Path, name: str) -> None:
        self.cluster, self.archive, self.name = cluster, archive, name
        digest = hashlib.sha256(f"{name}.uksouth".encode()).digest()
        self.address = "127." + ".".join(str(1 + byte % 254) for byte in digest[:3])
        self.url = f"http://{self.address}:{cluster.sandbox.hub_port}/"
        self.verify: ssl.SSLContext | bool = True

    @property
    def binder(self) -> str:
        return f"{self.url}services/binder/"

    def over_https(self, verify: ssl.SSLContext | bool) -> Hub:
        """The same hub as a browser meets it that was installed with HTTPS."""
        self.url, self.verify = self.url.replace("http:", "https:"), verify
        return self

    def values(self) -> Body:
        annotations = {"service.beta.kubernetes.io/azure-dns-label-name": self.name}
        return {
            "service": {"type": "ClusterIP"},
            "imageBuilderType": "dind",
            "registry": {"username": "slipwaydemo", "password": "dckr_pat_demo"},
            "config": {
                "BinderHub": {
                    "use_registry": True,
                    "image_prefix": f"slipwaydemo/{self.name}-",
                    "base_url": "/services/binder/",
                    "hub_url": self.url,
                    "hub_url_local": "http://proxy-public/",
                },
                "RateLimiter": {"limit": 0},
            },
            "jupyterhub": {
                "proxy": {"service": {"annotations": annotations}},
                "hub": {
                    "config": {"JupyterHub": {"default_url": "/services/binder/"}},
                    "services": {"binder": {"url": "http://binder"}},
                },
            },
        }

    def install(self, change: Body) -> None:
        values = merged(self.values(), change)
        arguments = ["upgrade", "--install", self.name, str(self.archive), "-n", self.name, "--create-namespace"]
        self.cluster.helm(*arguments, "-f", "-", values=values)

    def uninstall(self) -> None:
        self.cluster.helm("uninstall", self.name, "-n", self.name)

    def remove(self) -> None:
        """Quicker than Helm: all but two ClusterRoles of that name."""
        self.cluster.delete_namespace(self.name)

    def wait(self, path: str = "services/binder/versions", status: int = 200) -> None:
        until(lambda: self.status(path) == status, f"{self.url}{path} answers {status}")

    def status(self, path: str) -> int:
        """0 when nothing listens, or hangs up: a listener that is going may still take one last connection."""
        try:
            return httpx.get(self.url + path, verify=self.verify).status_code
        except httpx.TransportError:
            return 0

    def health(self) -> tuple[int, dict[str, bool]]:
        answer = httpx.get(f"{self.binder}health", verify=self.verify)
        return answer.status_code, {check["service"]: check["ok"] for check in answer.json()["checks"]}

    def events(self, spec: str = REPOSITORY, headers: Body | None = None, **query: str) -> Iterator[Body]:
        """The build stream's events as they come, until ready or failed for good."""
        with httpx.stream(
            "GET", f"{self.binder}build/{spec}", headers=EVENTS | (headers or {}), params=query, timeout=20
        ) as stream:
            assert stream.status_code == 200
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    event = json.loads(line[5:])
                    yield event
                    if event.get("phase") in ("ready", "failed"):
                        return

    def launch(self, spec: str = REPOSITORY, headers: Body | None = None, **query: str) -> list[Body]:
        return list(self.events(spec, headers, **query))

    def pods(self, prefix: str) -> list[Body]:
        pods = self.cluster.objects("pods", self.name)
        return [pod for pod in pods if pod["metadata"]["name"].startswith(prefix)]


def packed(folder: Path) -> Path:
    """The chart's newest archive as a file."""
    release = package.RELEASES[0]
    path = folder / release.filename
    path.write_bytes(package.archive(release))
    return path


def phases(events: list[Body]) -> list[str]:
    """Phases in order, each once."""
    return list(dict.fromkeys(str(event["phase"]) for event in events))
