"""Quantities as Kubernetes writes them: 200m, 1.5, 512Mi, 2G."""

from __future__ import annotations

import re
from typing import Any

_FACTORS = {
    "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
}  # fmt: skip


def number(quantity: Any) -> float:
    """Cores or bytes; 0 for what cannot be read."""
    match = re.fullmatch(r"([+-]?[0-9.]+(?:[eE][0-9]+)?)(m|[kMGTP]|[KMGTP]i|)", str(quantity or "0"))
    return float(match[1]) * _FACTORS[match[2]] if match else 0.0


def requests(pod_spec: dict[str, Any]) -> tuple[float, float]:
    """(cores, bytes) that a pod asks for: its containers together, or its greediest init container."""
    main = [_of(container) for container in pod_spec.get("containers") or []]
    first = [_of(container) for container in pod_spec.get("initContainers") or []]
    cpu = max([sum(item[0] for item in main), *(item[0] for item in first)])
    memory = max([sum(item[1] for item in main), *(item[1] for item in first)])
    return cpu, memory


def _of(container: dict[str, Any]) -> tuple[float, float]:
    asked = (container.get("resources") or {}).get("requests") or {}
    return number(asked.get("cpu")), number(asked.get("memory"))
