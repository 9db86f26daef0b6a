"""What the containers of a BinderHub print when they start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]
_START = {
    "hub": ["Loading /usr/local/etc/jupyterhub/secret/values.yaml",
            "[I JupyterHub app] Running JupyterHub version 5.3.0",
            "[I JupyterHub app] Using Authenticator: nullauthenticator.NullAuthenticator"],
    "chp": ["[ConfigProxy] info: Adding route / -> http://hub:8081", "[ConfigProxy] info: Proxying http://*:8000"],
    "binder": ["[I BinderHub app] BinderHub starting on port 8585"],
    "dind": ['level=info msg="Starting up"', 'level=info msg="API listen on /var/run/dind/docker.sock"'],
    "kube-scheduler": ["Starting Kubernetes Scheduler"],
}  # fmt: skip
_READY = {
    "hub": [
        "[I JupyterHub app] Hub API listening on http://:8081/hub/",
        "[I JupyterHub app] JupyterHub is now running",
    ],
    "binder": ["[I BinderHub health] Health check passed"],
}


def on_start(pod: Body) -> Iterator[tuple[str, str]]:
    """(container, line) of all that the pod's containers print."""
    for container in [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]:
        for line in said_on_start(container):
            yield container["name"], line


def said_on_start(container: Body) -> list[str]:
    return _START.get(container["name"], [f"{container['name']}: started {container['image']}"])


def on_ready(pod: Body) -> Iterator[tuple[str, str]]:
    for container in pod["spec"]["containers"]:
        for line in _READY.get(container["name"], []):
            yield container["name"], line
