"""What is done, in which order: steps that do not name one another overlap."""

from __future__ import annotations

from typing import Any

from deployments.states import OperationKind
from worker.step import Step
from worker.steps.cluster import Cluster, Nodes
from worker.steps.group import ResourceGroup
from worker.steps.preflight import Preflight
from worker.steps.proof import Health, ProofOfLife
from worker.steps.providers import Providers
from worker.steps.receipt import Receipt
from worker.steps.release import Ingredients, Namespace, Release
from worker.steps.removal import AddressGone, ClusterGone, GroupGone, NamespaceGone, ReleaseGone, SecretsGone
from worker.steps.serving import Address, Workloads

PROVISION: tuple[Step[Any], ...] = (
    Providers(),
    Preflight(),
    ResourceGroup(),
    Cluster(),
    Ingredients(),
    Nodes(),
    Namespace(),
    Release(),
    Address(),
    Workloads(),
    Health(),
    ProofOfLife(),
)
TEARDOWN: tuple[Step[Any], ...] = (
    ReleaseGone(),
    AddressGone(),
    NamespaceGone(),
    ClusterGone(),
    GroupGone(),
    SecretsGone(),
    Receipt(),
)
PLANS: dict[str, tuple[Step[Any], ...]] = {
    OperationKind.PROVISION: PROVISION,
    OperationKind.TEARDOWN: TEARDOWN,
}
