"""A step that waits says what for; one that fails says why; waiting ends early where it is no use."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deployments import services
from deployments.models import Deployment, Event, Operation, StepRun
from deployments.states import OperationStatus, StepState
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub
from tests.worker.driving import Drive
from worker import engine, leases
from worker.hub import HubContext
from worker.plans import plan_of

_numbers = itertools.count(1)
Ailing = Callable[..., None]
Begin = Callable[..., Operation]
NO_IMAGE = {"pod": "hub-", "kind": "ImagePullBackOff"}


@pytest.fixture
def begin(make_hub: MadeHub, drive: Drive, people: dict[str, Any], ailing: Ailing) -> Begin:
    """`begin("workloads", wish)` is the build of a hub in such trouble, moved until that step has begun."""

    def begun(step: str, *wishes: dict[str, Any], **changes: Any) -> Operation:
        hub = make_hub(name=f"cause-{next(_numbers)}", **changes)
        for wish in wishes:
            ailing(hub, **wish)
        return drive(services.approve(people["reviewer"], hub, 1), until=step)

    return begun


def after(operation: Operation, seconds: float) -> None:
    """One pass, so many seconds from now, as if somebody had looked all the while."""
    operation.steps.update(next_due_at=timezone.now() + timedelta(seconds=seconds))
    one_pass(operation, seconds)


def one_pass(operation: Operation, seconds: float) -> None:
    Operation.objects.filter(id=operation.id).update(next_due_at=timezone.now())
    ((claimed, fence),) = [each for each in leases.claim(50) if each[0] == operation.id]
    current = Operation.objects.select_related("deployment", "revision").get(id=claimed)
    later = timedelta(seconds=seconds)
    engine.Pass(current, fence, plan_of(current), HubContext, lambda: timezone.now() + later).go()
    operation.refresh_from_db()


def step(operation: Operation, name: str) -> StepRun:
    return operation.steps.get(name=name)


def says(operation: Operation, name: str, words: str, seconds: float = 0) -> Callable[[], bool]:
    """Whether a pass (so many seconds from now) has the step say that."""

    def look() -> bool:
        after(operation, seconds)
        return words in step(operation, name).summary

    return look


def test_a_step_that_waits_says_what_for_and_tells_the_evidence_once(begin: Begin) -> None:
    operation = begin("release", NO_IMAGE)
    until(says(operation, "workloads", "does not hand out an image"))
    after(operation, 20)
    waits = step(operation, "workloads")
    assert waits.state == StepState.WORKING and "pods ready. The registry" in waits.summary
    told = Event.objects.filter(operation=operation, level="warning", message__contains="pull access denied")
    assert [event.step for event in told] == ["workloads"]
    assert "under Secrets" in told[0].message


def test_a_cause_that_will_not_go_away_ends_the_wait_once_it_has_stood_long_enough(
    begin: Begin, ailing: Ailing
) -> None:
    operation = begin("release", NO_IMAGE)
    until(says(operation, "workloads", "does not hand out an image"))
    after(operation, 250)
    assert operation.status == OperationStatus.RUNNING
    after(operation, 310)
    assert operation.status == OperationStatus.FAILED and operation.error_code == "image-refused"
    assert operation.error_message.startswith("The registry does not hand out an image that the hub needs.")
    assert "pull access denied" in operation.error_message and "under Secrets" in operation.error_remedy


def test_a_trouble_that_comes_late_has_its_time_too(begin: Begin, ailing: Ailing) -> None:
    operation = begin("release", {"pod": "hub-", "kind": "NotReady"})
    until(says(operation, "workloads", "pods ready", 400))
    ailing(operation.deployment, pod="proxy-", kind="ImagePullBackOff", message="manifest unknown", replace=True)
    until(says(operation, "workloads", "does not exist", 500))
    after(operation, 600)
    assert operation.status == OperationStatus.RUNNING
    after(operation, 690)
    assert operation.error_code == "image-missing"


def test_time_in_which_nobody_looked_does_not_count(begin: Begin) -> None:
    operation = begin("release", {"pod": "hub-", "kind": "NotReady"}, NO_IMAGE | {"pod": "proxy-"})
    until(says(operation, "workloads", "does not hand out an image"))
    one_pass(operation, 3600)  # no worker was there
    assert operation.status == OperationStatus.RUNNING, operation.error_message
    after(operation, 3600 + 250)
    assert operation.status == OperationStatus.RUNNING, operation.error_message
    after(operation, 3600 + 310)
    assert operation.error_code == "image-refused"


def test_a_trouble_that_passes_is_forgotten_and_the_hub_is_built(
    begin: Begin, cloud: SandboxProcess, drive: Drive
) -> None:
    operation = begin("release", NO_IMAGE)
    until(says(operation, "workloads", "does not hand out an image"))
    cloud.control("kubernetes/symptoms", method="DELETE")
    assert drive(operation).status == OperationStatus.SUCCEEDED, operation.error_message


def test_what_may_mend_by_itself_is_waited_for_to_the_end_and_then_explained(begin: Begin) -> None:
    trouble = {"pod": "hub-", "kind": "CrashLoopBackOff", "message": "OSError: nobody knows this one"}
    operation = begin("release", trouble)
    until(says(operation, "workloads", "crashes again and again"))
    after(operation, 20 * 60)
    assert operation.status == OperationStatus.RUNNING
    after(operation, 26 * 60)
    assert (operation.status, operation.error_code) == (OperationStatus.FAILED, "crash-loop")
    assert "OSError: nobody knows this one" in operation.error_message


def test_an_address_that_azure_refuses_is_explained(begin: Begin) -> None:
    message = "Error syncing load balancer: PublicIPCountLimitReached: Cannot create more than 10 public IP addresses"
    operation = begin("release", {"service": "proxy-public", "kind": "AddressPending", "message": message})
    until(says(operation, "address", "no more of them in this region"))
    assert step(operation, "workloads").state != StepState.FAILED
    after(operation, 310)
    assert operation.error_code == "ip-limit" and "quota" in operation.error_remedy


def test_an_address_that_does_not_come_is_wondered_about_after_minutes_only(begin: Begin) -> None:
    operation = begin("release", {"service": "proxy-public", "kind": "AddressPending"})
    until(says(operation, "address", "waiting for Azure to give one"))
    after(operation, 280)
    assert step(operation, "address").summary == "waiting for Azure to give one"
    after(operation, 310)
    assert "more than five minutes" in step(operation, "address").summary


def test_a_lost_machine_is_explained(begin: Begin) -> None:
    operation = begin("cluster", {"node": "aks-", "kind": "NotReady"})
    until(says(operation, "nodes", "0 of 1 nodes ready"))
    after(operation, 190)
    assert "has no machine that runs" in step(operation, "nodes").summary


def test_a_registry_that_refuses_the_hub_later_on_is_explained(begin: Begin, cloud: SandboxProcess) -> None:
    account = {"username": "moving", "token": "dckr_pat_first", "organisations": []}
    cloud.control("dockerhub/accounts", account)
    held = {"pod": "hub-", "kind": "NotReady"}
    secrets = {services.DOCKER_TOKEN: "dckr_pat_first"}
    operation = begin("workloads", held, docker_username="moving", secrets=secrets)
    cloud.control("dockerhub/accounts", account | {"token": "dckr_pat_second"})
    cloud.control("kubernetes/symptoms", method="DELETE")
    until(says(operation, "health", "not well yet: Docker registry"))
    after(operation, 40)
    assert "cannot reach its registry" in step(operation, "health").summary
    after(operation, 350)
    assert operation.error_code == "health-registry" and "under Secrets" in operation.error_remedy


def test_what_a_rule_of_the_organisation_refuses_is_explained(
    begin: Begin, cloud: SandboxProcess, drive: Drive
) -> None:
    said = 'admission webhook "validation.gatekeeper.sh" denied the request: [azurepolicy-no-public-ip] not allowed'
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden"}
    body = json.dumps(status | {"message": said})
    cloud.fault("/services/", "custom", status=403, body=body, count=1000, method="PATCH")
    operation = drive(begin("cluster"))
    assert (operation.status, operation.error_code) == (OperationStatus.FAILED, "policy")
    assert "azurepolicy-no-public-ip" in operation.error_message


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"banned_repositories": ("binder-examples/*",)}, "repository-refused", "list of banned repositories"),
        ({"user_memory_gib": 500}, "hub-full", "The hub is full"),
    ],
)
def test_a_launch_that_fails_says_why(
    changes: dict[str, Any], code: str, words: str, begin: Begin, drive: Drive
) -> None:
    operation = drive(begin("release", **changes))
    assert operation.error_code == code
    assert operation.error_message.startswith("The hub could not launch binder-examples/requirements. ")
    assert words in operation.error_message and operation.error_remedy


def test_somebody_elses_session_is_no_reason_for_a_failed_launch(
    built: Callable[..., Deployment], drive: Drive, people: dict[str, Any]
) -> None:
    hub = built(name=f"cause-{next(_numbers)}")
    operation = drive(services.try_launch(people["researcher"], hub, "nobody/nothing"))
    assert operation.error_code == "repository-missing" and "nobody/nothing" in operation.error_message


def test_a_cause_that_cannot_be_looked_for_hides_no_failure(begin: Begin, cloud: SandboxProcess) -> None:
    operation = begin("release", {"pod": "hub-", "kind": "NotReady"})
    until(says(operation, "workloads", "pods ready"))
    cloud.fault("/k8s/.*/events", "forbidden", count=1000)
    after(operation, 60)
    assert operation.status == OperationStatus.RUNNING
    after(operation, 26 * 60)
    assert (operation.status, operation.error_code) == (OperationStatus.FAILED, "DeadlineExceeded")
