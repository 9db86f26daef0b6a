"""What is done, in which order: steps that do not name one another overlap."""

from __future__ import annotations

from typing import Any

from deployments.models import Operation
from deployments.states import OperationKind
from worker.step import Step
from worker.steps.back import PutBack
from worker.steps.cleaning import CleanReceipt, GroupsGone, RolesGone, Search, SecretsSwept, ThingsGone
from worker.steps.cluster import Cluster, Nodes
from worker.steps.group import ResourceGroup
from worker.steps.preflight import Preflight
from worker.steps.proof import Health, ProofOfLife, TryLaunch
from worker.steps.providers import Providers
from worker.steps.receipt import Receipt
from worker.steps.registry import RegistryAccess, RegistryGone, RegistryMade
from worker.steps.release import Ingredients, Namespace, Release
from worker.steps.removal import AddressGone, ClusterGone, GroupGone, NamespaceGone, ReleaseGone, SecretsGone
from worker.steps.reshape import Awake, ControlPlane, NodePools, Started, Stopped
from worker.steps.serving import Address, Workloads

Plan = tuple[Step[Any], ...]

PROVISION: Plan = (
    Providers(),
    Preflight(),
    ResourceGroup(),
    RegistryMade(),
    Cluster(),
    RegistryAccess(),
    Ingredients(),
    Nodes(),
    Namespace(),
    Release(),
    Address(),
    Workloads(),
    Health(),
    ProofOfLife(),
)
CHANGE: Plan = (
    Providers(),
    Preflight(),
    RegistryMade(),
    ControlPlane(),
    NodePools(),
    RegistryAccess(),
    Ingredients(),
    Nodes(),
    Release(),
    Address(),
    Workloads(),
    Health(),
    ProofOfLife(),
    PutBack(),
)
ROTATE: Plan = (
    RegistryAccess(),
    Ingredients(),
    Release(),
    Workloads(),
    Health(),
    ProofOfLife(),
    PutBack(),
)
MEND: Plan = (
    Providers(),
    Preflight(),
    RegistryMade(),
    Awake(),
    ControlPlane(),
    NodePools(),
    RegistryAccess(),
    Ingredients(),
    Nodes(),
    Namespace(),
    Release(),
    Address(),
    Workloads(),
    Health(),
    ProofOfLife(),
)
STOP: Plan = (Stopped(),)
START: Plan = (
    Started(),
    Nodes(),
    Address(),
    Workloads(),
    Health(),
    ProofOfLife(),
)
TRY_LAUNCH: Plan = (
    Health(),
    TryLaunch(),
)
TEARDOWN: Plan = (
    ReleaseGone(),
    AddressGone(),
    NamespaceGone(),
    RegistryGone(),
    ClusterGone(),
    GroupGone(),
    SecretsGone(),
    Receipt(),
)
CLEAN_UP: Plan = (
    Search(),
    RolesGone(),
    GroupsGone(),
    ThingsGone(),
    SecretsSwept(),
    CleanReceipt(),
)
PLANS: dict[str, Plan] = {
    OperationKind.PROVISION: PROVISION,
    OperationKind.CHANGE: CHANGE,
    OperationKind.ROTATE: ROTATE,
    OperationKind.MEND: MEND,
    OperationKind.STOP: STOP,
    OperationKind.START: START,
    OperationKind.TRY_LAUNCH: TRY_LAUNCH,
    OperationKind.TEARDOWN: TEARDOWN,
    OperationKind.CLEAN_UP: CLEAN_UP,
}


def plan_of(operation: Operation) -> Plan:
    """The operation's steps, without those that such a hub does not need."""
    spec = operation.revision.spec
    return tuple(step for step in PLANS[operation.kind] if step.concerns(spec))
