"""Kubernetes versions a cluster or pool may go to: newer patches of its minor, and the next minor."""

from __future__ import annotations

from sandbox.azure.errors import aks_error
from sandbox.azure.regions import KUBERNETES, exact_version

RANGE = "Please see https://aka.ms/aks-supported-k8s-ver for version details."


def parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def available(current: str) -> list[str]:
    """What AKS offers from here, oldest first."""
    major, minor, *_ = parts(current)
    near = ((major, minor), (major, minor + 1))
    offered = (patch for patches, _, _ in KUBERNETES.values() for patch in patches)
    return [patch for patch in offered if parts(patch) > parts(current) and parts(patch)[:2] in near]


def check(current: str, wanted: str) -> None:
    """Refuses a downgrade, and a step over a minor version. Words: rancher/rancher#24071, rancher/dashboard#11884."""
    exact = exact_version(wanted) if wanted else None
    if exact is None or exact == current or exact in available(current):
        return
    if parts(current)[:2] == parts(wanted)[:2] == parts(wanted):
        return  # "1.34" on a cluster of that minor: it has it already
    verb = "Downgrading" if parts(exact) < parts(current) else "Upgrading"
    offered = " ".join(reversed(available(current)))
    message = f"{verb} Kubernetes version {current} to {wanted} is not allowed. Available upgrades: [{offered}]."
    raise aks_error(400, "OperationNotAllowed", f"{message} {RANGE}")


def check_pool(control_plane: str, current: str, wanted: str) -> None:
    """A pool follows its control plane: never beyond it, never back, at most three minors behind."""
    if not wanted or wanted == current or exact_version(wanted) == current:
        return
    exact = exact_version(wanted)
    if exact is None:
        raise aks_error(400, "AgentPoolK8sVersionNotSupported", f"Version {wanted} is not supported in this region.")
    if parts(exact) > parts(control_plane):
        message = (
            f"Node pool version {wanted} and control plane version {control_plane} are incompatible. Minor version of "
            "node pool version cannot be bigger than control plane version."
        )
        raise aks_error(400, "NodePoolMcVersionIncompatible", message)
    if current and parts(exact) < parts(current):
        message = f"Downgrading agent pool Kubernetes version {current} to {wanted} is not allowed."
        raise aks_error(400, "OperationNotAllowed", message)
