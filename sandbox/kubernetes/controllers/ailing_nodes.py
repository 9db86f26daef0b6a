"""Machines that are short of something, or that the cluster has lost sight of, as a test or a demo wished."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.controllers.look import Look, condition

Body = dict[str, Any]
#: kind → (reason, message, the taint that keeps new pods away)
PRESSURES = {
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure", "disk-pressure"),
    "MemoryPressure": ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available", "memory-pressure"),
    "PIDPressure": ("KubeletHasInsufficientPID", "kubelet has insufficient PID available", "pid-pressure"),
}
LOST = ("NodeStatusUnknown", "Kubelet stopped posting node status.", "unreachable")
PREFIX = "node.kubernetes.io/"
WISHED = {*(f"{PREFIX}{taint}" for _, _, taint in PRESSURES.values()), f"{PREFIX}{LOST[2]}"}


def is_lost(look: Look, node: Body) -> bool:
    """Whether the machine does not answer its cluster any more."""
    return (look.symptom(node, "node") or {}).get("kind") == "NotReady"


def afflicted(look: Look, node: Body, conditions: list[Body]) -> list[Body]:
    """The node's conditions with what was wished for it."""
    wish = look.symptom(node, "node")
    if wish is None:
        return conditions
    if wish["kind"] == "NotReady":
        return [_lost(node, item, wish, look.clock.iso()) for item in conditions]
    reason, message, _ = PRESSURES[wish["kind"]]
    trouble = condition(node, wish["kind"], True, reason, wish.get("message") or message, look.clock.iso())
    return [trouble if item["type"] == wish["kind"] else item for item in conditions]


def tainted(look: Look, node: Body) -> Body:
    """Writes or removes the taint that goes with the trouble."""
    wish = look.symptom(node, "node")
    others = [taint for taint in node["spec"].get("taints") or [] if taint["key"] not in WISHED]
    if wish is not None:
        name = LOST[2] if wish["kind"] == "NotReady" else PRESSURES[wish["kind"]][2]
        others.append({"key": f"{PREFIX}{name}", "effect": "NoSchedule"})
    if others == (node["spec"].get("taints") or []):
        return node
    spec = {key: value for key, value in node["spec"].items() if key != "taints"}
    return look.put("nodes", node | {"spec": spec | ({"taints": others} if others else {})})


def _lost(node: Body, item: Body, wish: Body, now: str) -> Body:
    lost = condition(node, item["type"], False, LOST[0], wish.get("message") or LOST[1], now)
    return lost | {"status": "Unknown"}
