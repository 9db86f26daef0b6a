"""What a kubelet looks for before it mounts a pod's volumes."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.controllers.look import Look, is_ready

Body = dict[str, Any]
#: AKS nodes run containerd; there is no Docker, and so no docker.sock.
NODE_SOCKETS = {"/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock"}


def trouble(look: Look, pod: Body) -> str:
    """Why a volume cannot be mounted, in the kubelet's words; "" when all can."""
    wish = look.symptom(pod)
    if wish is not None and wish["kind"] in ("FailedMount", "FailedAttachVolume"):
        return str(wish["message"])
    for volume in pod["spec"].get("volumes") or []:
        if why := _missing(look, volume) or _no_socket(look, pod, volume):
            return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}'
    return ""


def _missing(look: Look, volume: Body) -> str:
    for source, resource, key in (("secret", "secrets", "secretName"), ("configMap", "configmaps", "name")):
        about = volume.get(source) or {}
        name = about.get(key)
        if name and not about.get("optional") and look.get(resource, name) is None:
            return f'{source.lower()} "{name}" not found'
    return ""


def _no_socket(look: Look, pod: Body, volume: Body) -> str:
    about = volume.get("hostPath") or {}
    path = about.get("path", "")
    if about.get("type") != "Socket" or path in NODE_SOCKETS or _is_served(look, path, pod["spec"]["nodeName"]):
        return ""
    return f"hostPath type check failed: {path} is not a socket file"


def _is_served(look: Look, socket: str, node: str) -> bool:
    """Whether a ready pod of this node was told to listen there, as an image builder is."""
    return any(
        f"unix://{socket}" in argument
        for other in look.store.list("pods")
        if other["spec"].get("nodeName") == node and is_ready(other)
        for container in other["spec"]["containers"]
        for argument in [*(container.get("command") or []), *(container.get("args") or [])]
    )
