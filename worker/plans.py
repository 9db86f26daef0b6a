"""What is done, in which order: steps that do not name one another overlap."""

from __future__ import annotations

from typing import Any

from deployments.models import Operation
from deployments.states import OperationKind
from worker.step import Step
from worker.steps.back import PoolsBack, PutBack, RegistryBack, TierBack
from worker.steps.cleaning import CleanReceipt, GroupsGone, RolesGone, Search, SecretsSwept, ThingsGone
from worker.steps.cluster import Cluster, Nodes
from worker.steps.group import ResourceGroup
from worker.steps.https import Certificate, Domain
from worker.steps.preflight import Preflight
from worker.steps.proof import Health, ProofOfLife, TryLaunch
from worker.steps.providers import Providers
from worker.steps.receipt import Receipt
from worker.steps.registry import RegistryAccess, RegistryGone, RegistryMade
from worker.steps.release import Ingredients, Namespace, Release
from worker.steps.removal import AddressGone, ClusterGone, GroupGone, NamespaceGone, ReleaseGone, SecretsGone
from worker.steps.reshape import Awake, ControlPlane, NodePools, Started, Stopped
from worker.steps.serving import Address, Workloads
from worker.steps.sign_in import SignIn

Plan = tuple[Step[Any], ...]

#: Whether a hub may be built, before anything is made.
BEFOREHAND: Plan = (
    Providers(),
    Preflight(),
    Domain(),
)
#: That it works, seen from outside.
PROVED: Plan = (
    Health(),
    SignIn(),
    ProofOfLife(),
)
#: From a release that Helm has installed to a hub that serves.
SERVING: Plan = (
    Address(),
    Workloads(),
    Certificate(),
    *PROVED,
)

PROVISION: Plan = (
    *BEFOREHAND,
    ResourceGroup(),
    RegistryMade(),
    Cluster(),
    RegistryAccess(),
    Ingredients(),
    Nodes(),
    Namespace(),
    Release(),
    *SERVING,
)
CHANGE: Plan = (
    *BEFOREHAND,
    RegistryMade(),
    ControlPlane(),
    NodePools(),
    RegistryAccess(),
    Ingredients(),
    Nodes(),
    Release(),
    *SERVING,
    TierBack(),
    PoolsBack(),
    PutBack(),
    RegistryBack(),
)
ROTATE: Plan = (
    RegistryAccess(),
    Ingredients(),
    Release(),
    Workloads(),
    *PROVED,
    PutBack(),
)
MEND: Plan = (
    *BEFOREHAND,
    RegistryMade(),
    Awake(),
    ControlPlane(),
    NodePools(),
    RegistryAccess(),
    Ingredients(),
    Nodes(),
    Namespace(),
    Release(),
    *SERVING,
)
STOP: Plan = (Stopped(),)
START: Plan = (
    Started(),
    Nodes(),
    *SERVING,
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
