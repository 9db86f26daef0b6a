"""New secrets: typed, tried, and in the vault before the request ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deployments.models import Deployment, SecretRef
from deployments.states import OperationKind
from tests.sandbox_process import SandboxProcess
from tests.web.standing import ready, stored

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
pytestmark = pytest.mark.usefixtures("catalogue")
GOOD, WRONG = "dckr_pat_demo", "dckr_pat_mistyped-7Qf2"


def url(hub: Deployment, purpose: str) -> str:
    return reverse("deployments:secret", args=[hub.id, purpose])


@pytest.fixture
def hub(make_hub: MakeHub) -> Deployment:
    made = ready(make_hub)
    stored(made, "docker-token", "hub-tokens")
    return made


def test_the_list_says_who_set_each_and_when(hub: Deployment, browser_of: Browser) -> None:
    page = browser_of("researcher").get(reverse("deployments:secrets", args=[hub.id])).content.decode()
    for words in ("Registry access token", "Tokens by which the hub", "just now", "researcher"):
        assert words in page
    assert "docker-token/" in page and "first" not in page


def test_a_secret_that_works_is_in_the_vault_when_the_page_comes_back(
    hub: Deployment, browser_of: Browser, sandbox: SandboxProcess
) -> None:
    answer = browser_of("researcher").post(url(hub, "docker-token"), {"docker_token": GOOD}, follow=True)
    ref = SecretRef.objects.get(deployment=hub, purpose="docker-token")
    assert ref.version not in ("", "first") and ref.previous_version == "first"
    operation = hub.operations.get()
    assert operation.kind == OperationKind.ROTATE and operation.arguments == {"purposes": ["docker-token"]}
    assert GOOD not in answer.content.decode() and GOOD not in str(operation.arguments)


def test_a_wrong_secret_is_told_at_once_and_nothing_is_kept(hub: Deployment, browser_of: Browser) -> None:
    answer = browser_of("researcher").post(url(hub, "docker-token"), {"docker_token": WRONG})
    page = answer.content.decode()
    assert answer.status_code == 422 and "does not accept the username" in page and WRONG not in page
    assert SecretRef.objects.get(deployment=hub, purpose="docker-token").version == "first"
    assert not hub.operations.exists()


def test_nothing_typed_is_asked_for_again(hub: Deployment, browser_of: Browser) -> None:
    answer = browser_of("researcher").post(url(hub, "docker-token"), {"docker_token": ""})
    assert answer.status_code == 422 and b"Please fill this in." in answer.content


def test_the_hubs_own_tokens_are_made_anew_without_typing(hub: Deployment, browser_of: Browser) -> None:
    client = browser_of("researcher")
    assert b"Make a new one" in client.get(url(hub, "hub-tokens")).content
    client.post(url(hub, "hub-tokens"))
    assert hub.operations.get().arguments == {"purposes": ["hub-tokens"]}
    assert SecretRef.objects.get(deployment=hub, purpose="hub-tokens").previous_version == "first"


def test_sent_twice_it_is_renewed_once(hub: Deployment, browser_of: Browser) -> None:
    client = browser_of("researcher")
    answers = [client.post(url(hub, "docker-token"), {"docker_token": GOOD}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 422]
    assert hub.operations.count() == 1
    assert SecretRef.objects.get(deployment=hub, purpose="docker-token").previous_version == "first"


def test_a_github_secret_is_tried_with_its_app(make_hub: MakeHub, browser_of: Browser, sandbox: SandboxProcess) -> None:
    hub = ready(make_hub, access="github", github_client_id="Ov23liNoSuchApp00000", github_everyone=True)
    stored(hub, "docker-token", "github-secret")
    answer = browser_of("researcher").post(url(hub, "github-secret"), {"github_secret": "a-new-client-secret-01234"})
    assert answer.status_code == 422 and "GitHub does not know this client ID" in answer.content.decode()
    assert not hub.operations.exists()


@pytest.mark.parametrize("purpose", ["github-secret", "registry-token", "nothing"])
def test_a_secret_that_the_hub_has_not_is_not_found(purpose: str, hub: Deployment, browser_of: Browser) -> None:
    assert browser_of("researcher").get(url(hub, purpose)).status_code == 404


def test_a_vault_that_does_not_answer_loses_nothing(
    hub: Deployment, browser_of: Browser, sandbox: SandboxProcess, request: Any
) -> None:
    request.addfinalizer(sandbox.clear_faults)
    sandbox.fault("/kv/.*", "status", status=403)
    answer = browser_of("researcher").post(url(hub, "docker-token"), {"docker_token": GOOD})
    assert answer.status_code == 422
    assert SecretRef.objects.get(deployment=hub, purpose="docker-token").version == "first"
    assert not hub.operations.exists()


def test_the_password_of_azures_registry_is_made_anew_without_typing(make_hub: MakeHub, browser_of: Browser) -> None:
    hub = ready(make_hub, registry="acr")
    stored(hub, "registry-token")
    browser_of("researcher").post(url(hub, "registry-token"))
    assert hub.operations.get().arguments == {"purposes": ["registry-token"]}
    assert SecretRef.objects.get(deployment=hub).version == "first"  # the worker puts the new one into the vault


def test_the_token_of_another_registry_is_tried_there(
    make_hub: MakeHub, browser_of: Browser, sandbox: SandboxProcess
) -> None:
    host = next(each for each in sandbox.control("registries") if each["name"] == "university")["address"]
    other = {"registry": "other", "registry_address": host, "registry_username": "robot-slipway"}
    hub = ready(make_hub, **other, registry_project="research", docker_username="")
    stored(hub, "docker-token")
    refused = browser_of("researcher").post(url(hub, "docker-token"), {"registry_token": "not-the-token"})
    assert refused.status_code == 422 and f"{host} does not accept robot-slipway" in refused.content.decode()
    browser_of("researcher").post(url(hub, "docker-token"), {"registry_token": "registry-demo-token"})
    assert hub.operations.get().kind == OperationKind.ROTATE


def test_a_token_for_private_repositories_is_tried_at_github(
    make_hub: MakeHub, browser_of: Browser, sandbox: SandboxProcess
) -> None:
    hub = ready(make_hub, access="github", github_everyone=True, private_repositories=True)
    stored(hub, "private-token")
    refused = browser_of("researcher").post(url(hub, "private-token"), {"private_token": "github_pat_mistyped"})
    assert refused.status_code == 422 and "GitHub does not accept this token" in refused.content.decode()
    browser_of("researcher").post(url(hub, "private-token"), {"private_token": "github_pat_demo"})
    assert hub.operations.get().arguments == {"purposes": ["private-token"]}
