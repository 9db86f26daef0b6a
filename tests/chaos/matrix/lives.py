"""Whole lives of hubs: together they make every call that there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import yaml

from deployments import services
from deployments.models import Deployment, Operation
from deployments.preflight import needed_providers
from deployments.states import OperationStatus, Outcome, StepState
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess, trusting
from tests.worker.conftest import MadeHub

NAME = "course"
#: What Azure says where a life wants a run to fail.
PLANNED = "This had to come to nothing."
SECRETS = {services.GITHUB_SECRET: "github-demo-secret", services.PRIVATE_TOKEN: "github_pat_demo"}
Drive = Callable[..., Operation]


@dataclass
class Life:
    """One hub, and who drives what is done to it. `drive` brings each operation to its good end."""

    make_hub: MadeHub
    people: dict[str, Any]
    cloud: SandboxProcess
    drive: Drive
    hub: Deployment = None  # type: ignore[assignment]

    @property
    def owner(self) -> Any:
        return self.people["researcher"]

    def begin(self, **described: Any) -> Operation:
        self.hub = self.make_hub(name=NAME, **described)
        return services.approve(self.people["reviewer"], self.hub, 1)

    def build(self, **described: Any) -> None:
        self.drive(self.begin(**described))

    def change(self, **fields: Any) -> Operation:
        self.hub.refresh_from_db()
        spec = replace(self.hub.revision.spec, **fields)
        services.change(self.people["reviewer"], self.hub, self.hub.revision.number, spec, {})
        return self.newest

    def do(self, service: Callable[..., Operation], *arguments: Any) -> None:
        self.hub.refresh_from_db()
        self.drive(service(self.owner, self.hub, *arguments))

    def end(self) -> None:
        self.do(services.tear_down, self.hub.name)

    @property
    def newest(self) -> Operation:
        return self.hub.operations.order_by("-created_at")[0]

    def is_being_made(self) -> bool:
        return self.says("cluster", "Azure is making the cluster")

    def says(self, step: str, words: str) -> bool:
        return self.newest.steps.filter(name=step, state=StepState.WORKING, summary__contains=words).exists()

    def fails_later(self, code: str = "InternalOperationError") -> None:
        """The next thing that Azure accepts for the cluster comes to nothing."""
        self.cloud.control("azure/outcomes", {"name": NAME, "code": code, "message": PLANNED})

    def never_ends(self) -> None:
        """The next thing that Azure accepts for the cluster goes on for good."""
        self.cloud.control("azure/outcomes", {"name": NAME, "stuck": True})


def with_docker_hub(life: Life) -> None:
    """Built, upgraded, enlarged and made smaller, stopped and started, tried, taken down."""
    life.build(kubernetes_version="1.33.6")
    size = life.hub.revision.spec.node_size
    life.drive(life.change(kubernetes_version="1.34.3", user_node_size=size, user_nodes_min=1, user_nodes_max=2))
    life.drive(life.change(user_node_size="", user_nodes_min=0, user_nodes_max=0))
    life.do(services.stop)
    life.do(services.start)
    life.do(services.try_launch, "binder-examples/conda")
    life.end()


def with_azures_registry(life: Life) -> None:
    """A registry of its own, sign-in with GitHub, private repositories, a new password for the registry."""
    cloud = {"registry": "acr", "docker_username": "", "private_repositories": True}
    people = {"access": "github", "github_everyone": True, "github_client_id": "Ov23liSlipwayDemo001"}
    life.build(**cloud, **people, secrets=SECRETS)
    life.do(services.rotate, {services.REGISTRY_TOKEN: ""})
    life.end()


def with_another_registry(life: Life) -> None:
    """Somebody else's registry; a change after which the hub is not well, and which is put back."""
    found = next(each for each in life.cloud.control("registries") if each["name"] == "university")
    registry = {"registry_address": found["address"], "registry_username": "robot-slipway"}
    secrets = {services.DOCKER_TOKEN: "registry-demo-token"}
    life.build(registry="other", registry_project="research", secrets=secrets, **registry)
    rule = {"path": "/services/binder/health", "kind": "unavailable", "count": 10**6}
    fault = life.cloud.control("faults", rule)["number"]
    life.drive(life.change(most_sessions=7), good=is_put_back)
    life.cloud.control(f"faults?number={fault}", method="DELETE")
    life.end()


def with_hard_times(life: Life) -> None:
    """Nothing is registered, what was accepted fails later or never ends, the name is taken, a pod does not start."""
    operation = life.begin(registry="acr", docker_username="", secrets={})
    spec = life.hub.revision.spec
    for namespace in needed_providers(spec):
        state = {"subscription": spec.subscription_id, "namespace": namespace, "state": "NotRegistered"}
        life.cloud.control("azure/providers", state)
    life.fails_later("AllocationFailed")
    life.cloud.control("kubernetes/symptoms", {"namespace": NAME, "pod": "hub", "kind": "CreateContainerError"})
    neighbour = neighbour_with_the_name(life)
    life.drive(operation, until=lambda: life.says("address", "name on the internet is taken"))
    life.cloud.control(f"kubernetes/clusters/{neighbour}", method="DELETE")
    life.drive(operation, until=lambda: life.says("workloads", "cannot be started"))
    life.cloud.control("kubernetes/symptoms", method="DELETE")
    life.drive(operation)
    for service in (services.stop, services.start):
        life.fails_later()
        life.do(service)
    life.fails_later()
    life.drive(life.change(tier="Standard"))
    life.hub.refresh_from_db()
    life.never_ends()
    stopping = services.stop(life.owner, life.hub)
    life.drive(stopping, until=lambda: life.says("stop", "stopping"))
    teardown = services.tear_down(life.owner, life.hub, life.hub.name)
    life.drive(stopping, good=is_cancelled)
    life.drive(teardown)


def given_up(life: Life) -> None:
    """Cancelled while Azure makes the cluster and makes it forever; taken down in the middle of a second try."""
    operation = life.begin()
    life.never_ends()
    life.drive(operation, until=life.is_being_made)
    services.cancel(life.owner, operation)
    life.drive(operation, good=is_cancelled)
    life.never_ends()
    services.retry(life.owner, operation)
    life.drive(operation, until=life.is_being_made)
    teardown = services.tear_down(life.owner, life.hub, life.hub.name)
    life.drive(operation, good=is_cancelled)
    life.drive(teardown)


def built_and_taken_down(life: Life) -> None:
    """The shortest there is; others make all of its calls too."""
    life.build()
    life.end()


def is_put_back(operation: Operation) -> bool:
    """It failed where this life wants it to."""
    operation.deployment.refresh_from_db()
    failed = operation.steps.filter(state=StepState.FAILED).values_list("name", flat=True)
    rolled_back = operation.deployment.last_outcome == Outcome.ROLLED_BACK
    return operation.status == OperationStatus.FAILED and rolled_back and list(failed) == ["health"]


def succeeded(operation: Operation) -> bool:
    return operation.status == OperationStatus.SUCCEEDED


def is_cancelled(operation: Operation) -> bool:
    return operation.status == OperationStatus.CANCELLED


def neighbour_with_the_name(life: Life) -> str:
    """A cluster of somebody else's whose Service holds the DNS label of this hub; returns its key."""
    key: str = life.cloud.control("kubernetes/clusters", {"name": "neighbour", "region": "uksouth"})["key"]
    known = yaml.safe_load(life.cloud.read(f"kubernetes/clusters/{key}/kubeconfig"))
    server, token = known["clusters"][0]["cluster"]["server"], known["users"][0]["user"]["token"]
    label = {"service.beta.kubernetes.io/azure-dns-label-name": life.hub.names.dns_label}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "theirs", "annotations": label},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "theirs"}},
    }
    with httpx.Client(verify=trusting(life.cloud.ca), trust_env=False) as http:
        headers = {"Authorization": f"Bearer {token}"}
        path = f"{server}/api/v1/namespaces/default/services"
        assert http.post(path, json=service, headers=headers).status_code == 201
        until(lambda: http.get(f"{path}/theirs", headers=headers).json()["status"]["loadBalancer"])
    return key


LIVES: dict[str, Callable[[Life], None]] = {
    "docker-hub": with_docker_hub,
    "azure-registry": with_azures_registry,
    "other-registry": with_another_registry,
    "hard-times": with_hard_times,
    "given-up": given_up,
}
