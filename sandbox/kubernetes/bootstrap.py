"""What a new AKS cluster holds before anybody installs anything."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.admission import Gate
from sandbox.kubernetes.kinds import BY_RESOURCE

Body = dict[str, Any]
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
#: name → (replicas, millicores, mebibytes): about what AKS takes of a node for itself.
SYSTEM = {"coredns": (2, 100, 70), "konnectivity-agent": (2, 20, 20), "metrics-server": (2, 44, 51)}
SYSTEM_DAEMONS = {"kube-proxy": (100, 0), "csi-azuredisk-node": (30, 60), "cloud-node-manager": (50, 50)}
IMAGES = "mcr.microsoft.com/oss/kubernetes"


def fill(gate: Gate) -> None:
    """Namespaces, storage classes, priorities and the system's own workloads."""
    for name in NAMESPACES:
        gate.create(BY_RESOURCE["namespaces"], "", {"metadata": {"name": name}})
    for name, value in (("system-cluster-critical", 2000000000), ("system-node-critical", 2000001000)):
        gate.create(BY_RESOURCE["priorityclasses"], "", {"metadata": {"name": name}, "value": value})
    for name in ("default", "managed-csi", "managed-csi-premium", "azurefile-csi"):
        gate.create(BY_RESOURCE["storageclasses"], "", _storage_class(name))
    gate.create(BY_RESOURCE["services"], "default", _api_service())
    gate.create(BY_RESOURCE["clusterroles"], "", _cluster_admin())
    for name in ("default", "coredns"):
        gate.create(BY_RESOURCE["serviceaccounts"], "kube-system", {"metadata": {"name": name}})
    for name, (replicas, cpu, memory) in SYSTEM.items():
        gate.create(BY_RESOURCE["deployments"], "kube-system", _workload(name, cpu, memory, replicas))
    for name, (cpu, memory) in SYSTEM_DAEMONS.items():
        gate.create(BY_RESOURCE["daemonsets"], "kube-system", _workload(name, cpu, memory, None))


def _storage_class(name: str) -> Body:
    is_default = "true" if name == "default" else "false"
    return {
        "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": is_default}},
        "provisioner": "file.csi.azure.com" if name.startswith("azurefile") else "disk.csi.azure.com",
        "parameters": {"skuname": "Premium_LRS" if name.endswith("premium") else "StandardSSD_LRS"},
        "allowVolumeExpansion": True,
        "volumeBindingMode": "Immediate" if name.startswith("azurefile") else "WaitForFirstConsumer",
    }


def _api_service() -> Body:
    return {
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": "10.0.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 443}]},
    }


def _cluster_admin() -> Body:
    return {"metadata": {"name": "cluster-admin"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}


def _workload(name: str, cpu: int, memory: int, replicas: int | None) -> Body:
    labels = {"k8s-app": name}
    resources = {"requests": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}}
    spec: Body = {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "priorityClassName": "system-node-critical",
                "tolerations": [{"operator": "Exists"}],
                "containers": [{"name": name, "image": f"{IMAGES}/{name}:v1", "resources": resources}],
            },
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}
