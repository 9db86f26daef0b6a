"""Hubs whose people sign in with GitHub: the try of it, the probe's user, private repositories, folders that stay."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from cloud import binderhub, jupyterhub
from deployments import outside, services
from deployments.models import Deployment, Operation
from deployments.states import OperationStatus, Outcome, StepState
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub
from tests.worker.driving import Drive
from tests.worker.test_https import point
from tests.worker.test_running import changed
from worker.hub import HubContext
from worker.steps import proof

Built = Callable[..., Deployment]
GITHUB = {"access": "github", "github_organisations": ("slipwayorg",), "github_client_id": "Ov23liSlipwayDemo001"}
SECRETS = {services.DOCKER_TOKEN: "dckr_pat_demo", services.GITHUB_SECRET: "github-demo-secret"}
pytestmark = pytest.mark.usefixtures("secure")


@pytest.fixture
def app(cloud: SandboxProcess) -> dict[str, Any]:
    """An OAuth app of this test's own; `cloud.control("github/apps", app | …)` changes it."""
    made = {"client_id": f"Ov23li{uuid.uuid4().hex[:12]}", "client_secret": "first-secret", "callback": ""}
    cloud.control("github/apps", made)
    return made


def inside(hub: Deployment) -> HubContext:
    operation = hub.operations.order_by("-created_at")[0]
    return HubContext(operation=operation, fence=0, run=operation.steps.all()[0])


def api(hub: Deployment) -> jupyterhub.JupyterHub:
    token = inside(hub).hub_secrets().probe_api_token
    return jupyterhub.JupyterHub(hub.address, token, outside.profile().ca_bundle)


def of_app(app: dict[str, Any]) -> dict[str, Any]:
    secrets = SECRETS | {services.GITHUB_SECRET: app["client_secret"]}
    return GITHUB | {"github_client_id": app["client_id"], "secrets": secrets}


# --- the sign-in ---------------------------------------------------------------------------------------------------


def test_a_sign_in_is_tried_as_far_as_githubs_page_and_the_probes_user_is_gone_again(built: Built) -> None:
    hub = built(**GITHUB, secrets=SECRETS)
    operation = hub.operations.get()
    proved = operation.result["sign_in"]
    assert proved["client_id"] == GITHUB["github_client_id"]
    assert proved["callback"] == f"{hub.address}hub/oauth_callback"
    assert operation.result["proof"]["guest"] == "slipway-probe"
    assert api(hub).people() == []


def test_everyone_with_an_account_may_be_let_in(built: Built) -> None:
    hub = built(access="github", github_everyone=True, github_client_id="Ov23liSlipwayDemo001", secrets=SECRETS)
    assert hub.operations.get().result["sign_in"]


def test_an_app_that_github_does_not_know_ends_the_run_before_anything_is_installed(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub(**GITHUB | {"github_client_id": "Ov23liGone000000001"}, secrets=SECRETS)
    operation = drive(services.approve(people["reviewer"], hub, 1))
    assert operation.status == OperationStatus.FAILED
    assert operation.steps.get(state=StepState.FAILED).name == "preflight"
    assert "GitHub knows no app with the client ID Ov23liGone000000001" in operation.error_message


def test_a_callback_that_was_not_moved_with_the_hub_is_found_before_it_moves(
    built: Built, drive: Drive, people: dict[str, Any], cloud: SandboxProcess, app: dict[str, Any]
) -> None:
    hub = built(**of_app(app))
    cloud.control("github/apps", app | {"callback": f"{hub.address}hub/oauth_callback"})
    domain, address = f"{uuid.uuid4().hex[:8]}.example.org", hub.address
    point(cloud, hub, domain)
    operation = changed(hub, people, drive, domain=domain)
    assert (operation.status, hub.last_outcome) == (OperationStatus.FAILED, Outcome.ROLLED_BACK)
    assert "another callback address" in operation.error_message
    assert f"{outside.profile().domain_url(domain)}hub/oauth_callback" in operation.error_remedy
    assert hub.address == address


def test_a_page_of_somebody_elses_in_the_hubs_place_is_no_word_of_the_hub(built: Built, cloud: SandboxProcess) -> None:
    html = {"content-type": "text/html"}
    cloud.fault("^/services/binder/?$", "custom", door="hub", status=200, body="<p>Accept our terms.</p>", headers=html)
    hub = built(**GITHUB, secrets=SECRETS)
    told = hub.operations.get().events.filter(step="sign-in").values_list("message", flat=True)
    assert any(line.startswith("Something other than the hub answered.") for line in told), told


def test_a_launch_takes_the_place_of_one_that_an_earlier_run_could_not_remove(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built(**GITHUB, secrets=SECRETS)
    launch_as(hub, proof.PROBE_USER)
    operation = drive(services.try_launch(people["researcher"], hub, "binder-examples/conda"))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert api(hub).people() == []


def test_what_was_changed_on_github_is_found_when_the_hub_is_started(
    built: Built, drive: Drive, people: dict[str, Any], cloud: SandboxProcess, app: dict[str, Any]
) -> None:
    hub = built(**of_app(app))
    drive(services.stop(people["researcher"], hub))
    cloud.control("github/apps", app | {"callback": "https://elsewhere.example.org/hub/oauth_callback"})
    operation = drive(services.start(people["researcher"], hub))
    assert operation.steps.get(state=StepState.FAILED).name == "sign-in"
    assert "another callback address" in operation.error_message
    cloud.control("github/apps", app)
    services.retry(people["researcher"], operation)
    assert drive(operation).status == OperationStatus.SUCCEEDED


def test_a_new_client_secret_is_used_and_tried_and_a_wrong_one_is_put_back(
    built: Built, drive: Drive, people: dict[str, Any], cloud: SandboxProcess, app: dict[str, Any]
) -> None:
    hub = built(**of_app(app))
    refused = drive(services.rotate(people["researcher"], hub, {services.GITHUB_SECRET: "not-it"}))
    hub.refresh_from_db()
    assert (refused.status, hub.last_outcome) == (OperationStatus.FAILED, Outcome.ROLLED_BACK)
    cloud.control("github/apps", app | {"client_secret": "second-secret"})
    operation = drive(services.rotate(people["researcher"], hub, {services.GITHUB_SECRET: "second-secret"}))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert operation.result["sign_in"]


# --- what people who sign in get -----------------------------------------------------------------------------------


def test_private_repositories_open_with_the_hubs_token_and_not_without(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    secrets = SECRETS | {services.PRIVATE_TOKEN: "github_pat_demo"}
    hub = built(**GITHUB, private_repositories=True, secrets=secrets)
    launched = tried(hub, drive, people)
    assert launched.status == OperationStatus.SUCCEEDED, launched.error_message
    assert "github_pat_demo" not in "".join(launched.events.values_list("message", flat=True))
    operation = changed(hub, people, drive, private_repositories=False)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert "Could not resolve ref" in tried(hub, drive, people).error_message


def test_a_token_for_private_repositories_that_github_refuses_is_found_before_anything_is_installed(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub(**GITHUB, private_repositories=True, secrets=SECRETS | {services.PRIVATE_TOKEN: "github_pat_old"})
    operation = drive(services.approve(people["reviewer"], hub, 1))
    assert operation.steps.get(state=StepState.FAILED).name == "preflight"
    assert "The token for private repositories is not accepted by GitHub" in operation.error_message


def test_a_person_has_a_folder_that_stays_and_the_probe_leaves_none(built: Built) -> None:
    hub = built(**GITHUB, storage_gib=3, secrets=SECRETS)
    kubernetes, space = inside(hub).kubernetes(), hub.names.namespace
    # The disk of a server that was shut down goes once its pod has gone.
    until(lambda: [claim.name for claim in kubernetes.volume_claims(space)] == ["hub-db-dir"])
    launch_as(hub, "octocat")
    assert "claim-octocat" in [claim.name for claim in kubernetes.volume_claims(space)]
    api(hub).stop_server("octocat")
    assert "claim-octocat" in [claim.name for claim in kubernetes.volume_claims(space)]


def tried(hub: Deployment, drive: Drive, people: dict[str, Any]) -> Operation:
    return drive(services.try_launch(people["researcher"], hub, "slipwayorg/closed-data"))


def launch_as(hub: Deployment, person: str) -> None:
    """What somebody does who has signed in."""
    trust = outside.profile().ca_bundle
    api(hub).create_user(person)
    token = api(hub).create_token(person)
    spec, outcome = "binder-examples/requirements/HEAD", binderhub.BuildOutcome()
    while not outcome.done:
        outcome = binderhub.follow_build(hub.address, spec, token=token, ca_bundle=trust, seconds=10)
    assert outcome.phase == "ready", outcome.message
