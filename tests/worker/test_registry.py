"""A registry of the hub's own in Azure, and one that somebody else runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloud.azure import registries, role_assignments
from deployments import outside, services
from deployments.models import Deployment, Event
from deployments.running import running
from deployments.states import Lifecycle, OperationStatus, StepState
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub
from tests.worker.driving import Drive
from tests.worker.test_running import changed
from worker.steps import registry as steps

Built = Callable[..., Deployment]
ACR = {"registry": "acr", "docker_username": "", "secrets": {}}


def test_an_azure_registry_is_made_opened_used_and_removed(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built(**ACR)
    spec, names = hub.revision.spec, hub.names
    proof = hub.operations.get().result["proof"]
    assert proof["image"].startswith(f"{outside.registry_host(spec, names)}/course/course-")
    kinds = dict(hub.resources.values_list("kind", "cloud_id"))
    assert {steps.KIND, steps.ROLE} <= set(kinds)
    assert role_assignments.get_assignment(outside.azure(), spec.subscription_id, kinds[steps.ROLE])
    operation = drive(services.tear_down(people["researcher"], hub, hub.name))
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.DELETED, operation.error_message
    told = {item["kind"]: item for item in operation.result["receipt"]["items"]}
    assert told[steps.KIND]["gone"] and "no such registry" in told[steps.KIND]["note"]
    assert told[steps.ROLE]["gone"]
    assert registries.get_registry(outside.azure(), spec.subscription_id, names.group, names.registry) is None
    assert not any("Docker Hub" in reminder["text"] for reminder in operation.result["receipt"]["reminders"])


def test_the_registrys_password_is_in_the_vault_and_in_no_line_of_the_log(built: Built) -> None:
    hub = built(**ACR)
    ref = hub.secrets.get(purpose=services.REGISTRY_TOKEN)
    password = outside.vault().get(ref.vault_name, ref.version)
    assert len(password) > 20
    assert not Event.objects.filter(operation__deployment=hub, message__contains=password).exists()


def test_a_registry_name_that_somebody_else_has_is_said(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    hub = make_hub(**ACR)
    cloud.control("azure/registry-names", {"name": hub.names.registry})
    operation = drive(services.approve(people["reviewer"], hub, 1))
    assert operation.status == OperationStatus.FAILED
    assert hub.names.registry in operation.error_message


def test_a_worker_that_dies_between_token_and_vault_makes_another_password(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub(**ACR)
    operation = drive(services.approve(people["reviewer"], hub, 1), until="registry-access")
    names, spec = hub.names, hub.revision.spec
    place = (outside.azure(), spec.subscription_id, names.group, names.registry, steps.ACR_USER)
    drive.until(operation, lambda: registries.ensure_token(*place))
    registries.generate_password(*place)  # the answer was lost with its worker
    drive(operation)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message


def test_a_password_that_azure_forgets_while_it_is_made_is_made_anew(built: Built, cloud: SandboxProcess) -> None:
    lost = '{"error": {"code": "NotFound", "message": "The entity was not found."}}'
    cloud.fault("/operationresults/", "custom", status=404, body=lost)
    told = built(**ACR).operations.get().events.values_list("message", flat=True)
    assert any("lost the registry's new password" in line for line in told)


def test_azure_gives_a_new_password_and_the_hub_uses_it(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = built(**ACR)
    before = hub.secrets.get(purpose=services.REGISTRY_TOKEN)
    old = outside.vault().get(before.vault_name, before.version)
    operation = drive(services.rotate(people["researcher"], hub, {services.REGISTRY_TOKEN: ""}))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    after = hub.secrets.get(purpose=services.REGISTRY_TOKEN)
    assert outside.vault().get(after.vault_name, after.version) != old
    assert after.previous_version == ""


def test_a_hub_moves_from_docker_hub_to_a_registry_of_its_own(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    operation = changed(hub, people, drive, registry="acr", docker_username="")
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert operation.result["proof"]["image"].startswith(outside.registry_host(hub.revision.spec, hub.names))
    running_hub = running(hub)
    assert running_hub and {ref.purpose for ref in running_hub.secrets} == {"hub-tokens", "registry-token"}


def test_a_registry_that_a_failed_change_brought_is_removed_again(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    operation = changed(hub, people, drive, registry="acr", docker_username="", user_memory_gib=500)
    assert operation.status == OperationStatus.FAILED and hub.revision.spec.registry == "dockerhub"
    spec, names = hub.revision.spec, hub.names
    assert registries.get_registry(outside.azure(), spec.subscription_id, names.group, names.registry) is None
    assert operation.steps.get(name="registry-back").state == StepState.DONE


def test_a_registry_that_somebody_else_runs_is_used_and_left(
    built: Built, drive: Drive, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    host = other_registry(cloud)
    hub = built(
        registry="other",
        registry_address=host,
        registry_username="robot-slipway",
        registry_project="research",
        secrets={services.DOCKER_TOKEN: "registry-demo-token"},
    )
    assert hub.operations.get().result["proof"]["image"].startswith(f"{host}/research/course-")
    operation = drive(services.tear_down(people["researcher"], hub, hub.name))
    assert any(host in reminder["text"] for reminder in operation.result["receipt"]["reminders"])


def test_a_registry_that_refuses_the_sign_in_ends_the_run_with_its_name(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    host = other_registry(cloud)
    wrong = {services.DOCKER_TOKEN: "not-the-password"}
    hub = make_hub(registry="other", registry_address=host, registry_username="robot-slipway", secrets=wrong)
    operation = drive(services.approve(people["reviewer"], hub, 1))
    assert operation.steps.get(state=StepState.FAILED).name in ("ingredients", "preflight")
    assert host in operation.error_message


def other_registry(cloud: SandboxProcess) -> str:
    """The host of a registry with a project *research* that `robot-slipway` may push to."""
    found = next(each for each in cloud.control("registries") if each["name"] == "university")
    return str(found["address"])
