"""Nodes of the cluster's pools: they appear, take a minute to be ready, and go when the pool shrinks."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from sandbox.kubernetes.controllers import ailing_nodes
from sandbox.kubernetes.controllers.look import Look, condition
from sandbox.kubernetes.kinds import BY_RESOURCE

Body = dict[str, Any]
READY_SECONDS = 60
PROVIDER = "azure:///virtualMachines/"
#: GiB for each core, by the letter of the VM family.
_MEMORY = {"F": 2, "D": 4, "B": 4, "E": 8, "M": 28, "L": 8, "N": 7, "A": 2}
#: Millicores AKS keeps for the kubelet, by cores.
_KEPT_CPU = ((1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740))
_PRESSURES = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}


def reconcile(look: Look) -> None:
    about = look.clusters.about(look.cluster.key)
    wanted = _wanted(about)
    for node in look.store.list("nodes"):
        if node["metadata"]["name"] not in wanted:
            _drain(look, node["metadata"]["name"])
    bring_up(look, about)


def _wanted(about: Body) -> dict[str, Body]:
    """The pool of each node there should be, by the node's name."""
    return {_name(pool, index): pool for pool in about["pools"] for index in range(int(pool["count"]))}


def is_played(node: Body) -> bool:
    """Whether this sandbox made the node, on a real cluster without machines."""
    return str(node["spec"].get("providerID", "")).startswith(PROVIDER)


def bring_up(look: Look, about: Body) -> None:
    """Makes the nodes that are missing, and those ready that have had their time."""
    wanted = _wanted(about)
    for number, (name, pool) in enumerate(wanted.items()):
        node = look.store.get("nodes", "", name)
        if node is None:
            node = look.gate.create(BY_RESOURCE["nodes"], "", _node(name, pool, about, number))
        _make_ready(look, node, pool.get("version") or about["version"])


def power_off(look: Look) -> None:
    """The machines are gone: nodes are unknown, pods have no place."""
    for node in look.store.list("nodes"):
        lost = [_lost(item) for item in node["status"]["conditions"]]
        look.status("nodes", node, node["status"] | {"conditions": lost})
        look.restart_timer(node, "ready")
    for pod in look.store.list("pods"):
        look.store.remove("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])


def _lost(item: Body) -> Body:
    return item | {
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
    }


def is_ready(node: Body) -> bool:
    return any(item["type"] == "Ready" and item["status"] == "True" for item in node["status"].get("conditions", []))


def _name(pool: Body, index: int) -> str:
    digits = int(hashlib.sha256(pool["name"].encode()).hexdigest(), 16) % 10**8
    return f"aks-{pool['name']}-{digits:08d}-vmss{index:06d}"


def size(vm_size: str) -> tuple[int, int]:
    """(cores, GiB) of a VM size, read from its name: Standard_D2s_v3 has 2 and 8."""
    match = re.match(r"(?:standard|basic)_([a-z]+)(\d+)", vm_size, re.IGNORECASE)
    if match is None:
        return 2, 8
    cores = int(match[2])
    return cores, cores * _MEMORY.get(match[1][0].upper(), 4)


def _node(name: str, pool: Body, about: Body, number: int) -> Body:
    cores, gib = size(pool["vmSize"])
    kept = next((milli for limit, milli in reversed(_KEPT_CPU) if cores >= limit), 60)
    mebibytes = gib * 1024 - 100
    capacity = {"cpu": str(cores), "memory": f"{mebibytes}Mi", "pods": "250", "ephemeral-storage": "129886128Ki"}
    left = {"cpu": f"{cores * 1000 - kept}m", "memory": f"{mebibytes - min(gib * 256, 2250) - 100}Mi"}
    spec: Body = {"providerID": PROVIDER + name}
    if pool.get("taints"):
        spec["taints"] = [_taint(taint) for taint in pool["taints"]]
    return {
        "metadata": {"name": name, "labels": _labels(name, pool, about)},
        "spec": spec,
        "status": {
            "capacity": capacity,
            "allocatable": capacity | left,
            "addresses": [
                {"type": "InternalIP", "address": f"10.224.{number // 250}.{4 + number % 250}"},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": _info(about["version"], name),
            "conditions": [],
        },
    }


def _info(version: str, name: str) -> Body:
    machine = hashlib.sha256(name.encode()).hexdigest()[:32]
    return {
        "kubeletVersion": f"v{version}",
        "kubeProxyVersion": f"v{version}",
        "osImage": "Ubuntu 22.04.5 LTS",
        "kernelVersion": "5.15.0-1091-azure",
        "containerRuntimeVersion": "containerd://1.7.29-1",
        "operatingSystem": "linux",
        "architecture": "amd64",
        "machineID": machine,
        "systemUUID": machine,
        "bootID": machine,
    }


def _taint(taint: Any) -> Body:
    """A taint object from AKS's text form, `key=value:effect`."""
    if isinstance(taint, dict):
        return dict(taint)
    pair, _, effect = str(taint).partition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "value": value, "effect": effect or "NoSchedule"}


def _labels(name: str, pool: Body, about: Body) -> Body:
    return {
        "agentpool": pool["name"],
        "kubernetes.azure.com/agentpool": pool["name"],
        "kubernetes.azure.com/mode": str(pool.get("mode") or "system").lower(),
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": pool["vmSize"],
        "topology.kubernetes.io/region": about["region"],
        "topology.kubernetes.io/zone": "0",
    } | (pool.get("labels") or {})


def _make_ready(look: Look, node: Body, version: str) -> None:
    node = ailing_nodes.tainted(look, node)
    ready = is_ready(node) or look.elapsed(node, "ready", READY_SECONDS)
    now = look.clock.iso()
    conditions = [condition(node, kind, False, *texts, now) for kind, texts in _PRESSURES.items()]
    if ready:
        conditions.append(condition(node, "Ready", True, "KubeletReady", "kubelet is posting ready status", now))
    else:
        text = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
        conditions.append(condition(node, "Ready", False, "KubeletNotReady", text, now))
    conditions = ailing_nodes.afflicted(look, node, conditions)
    became = ready and not is_ready(node) and not ailing_nodes.is_lost(look, node)
    info = node["status"]["nodeInfo"] | {"kubeletVersion": f"v{version}", "kubeProxyVersion": f"v{version}"}
    node = look.status("nodes", node, node["status"] | {"conditions": conditions, "nodeInfo": info})
    if became:
        look.event(node, "NodeReady", f"Node {node['metadata']['name']} status is now: NodeReady", "kubelet")


def _drain(look: Look, name: str) -> None:
    for pod in look.store.list("pods"):
        if pod["spec"].get("nodeName") == name:
            look.store.remove("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
    look.store.remove("nodes", "", name)
