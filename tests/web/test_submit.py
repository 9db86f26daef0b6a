"""Sending the form: Docker Hub and GitHub are tried, secrets go to the vault, one form makes one hub."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import SpendingPolicy, User
from deployments.models import Deployment, SecretRef
from deployments.states import SecretState
from tests.sandbox_process import SandboxProcess
from tests.web.test_form import filled, send, sentence

Browser = Callable[[str], Client]
pytestmark = pytest.mark.usefixtures("sandbox", "catalogue")


def test_a_request_has_the_addresses_that_the_form_showed(browser_of: Browser, people: dict[str, User]) -> None:
    sent = filled(people["researcher"])
    client = browser_of("researcher")
    shown = client.post("/hubs/new/parts", sent).context["preview"]
    answer = client.post("/hubs/new/", sent)
    hub = Deployment.objects.get()
    assert answer.status_code == 302 and answer.headers["Location"] == hub.get_absolute_url()
    assert (hub.address, hub.names, hub.monthly_cost) == (shown.address, shown.names, shown.estimate.monthly)
    assert set(SecretRef.objects.values_list("purpose", "state")) == {
        ("docker-token", SecretState.STORED),
        ("hub-tokens", SecretState.STORED),
    }


def test_the_token_is_in_no_table(browser_of: Browser, people: dict[str, User]) -> None:
    send(browser_of, people)
    assert Deployment.objects.exists()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # names come from the database itself
            assert "dckr_pat_demo" not in repr(cursor.fetchall()), table


def test_a_form_sent_twice_makes_one_hub(browser_of: Browser, people: dict[str, User]) -> None:
    sent, client = filled(people["researcher"]), browser_of("researcher")
    SpendingPolicy.objects.create(group=None, max_hubs=1)
    first, second = client.post("/hubs/new/", sent), client.post("/hubs/new/", sent)
    assert first.headers["Location"] == second.headers["Location"]
    assert Deployment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_twice_at_once_makes_one_hub(browser_of: Browser, people: dict[str, User]) -> None:
    sent, clients = filled(people["researcher"]), [browser_of("researcher") for _ in range(2)]

    def post(client: Client) -> Any:
        try:
            return client.post("/hubs/new/", sent).headers.get("Location")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(post, clients)
    assert first == second == Deployment.objects.get().get_absolute_url()


def test_a_wrong_token_is_said_beside_the_token(browser_of: Browser, people: dict[str, User]) -> None:
    answer = send(browser_of, people, docker_token="dckr_pat_wrong")
    assert "does not accept" in sentence(answer, "docker_token")
    assert b"dckr_pat_wrong" not in answer.content and b'value="my-course"' in answer.content


def test_a_missing_membership_is_said_beside_the_organisation(browser_of: Browser, people: dict[str, User]) -> None:
    answer = send(browser_of, people, docker_organisation="someoneelse")
    assert "may not store images in the organisation" in sentence(answer, "docker_organisation")


def test_an_unreachable_docker_hub_is_no_fault_of_a_field(
    browser_of: Browser, people: dict[str, User], sandbox: SandboxProcess
) -> None:
    sandbox.fault("/dockerhub-auth/token", "unavailable", count=10)
    try:
        answer = send(browser_of, people)
    finally:
        sandbox.clear_faults()
    assert answer.status_code == 422 and "Docker Hub" in sentence(answer, "__all__")


def test_a_vault_that_refuses_leaves_no_request(
    browser_of: Browser, people: dict[str, User], sandbox: SandboxProcess
) -> None:
    sandbox.fault("/kv/.*/secrets/.*", "forbidden", method="PUT", count=10)
    try:
        answer = send(browser_of, people)
    finally:
        sandbox.clear_faults()
    assert answer.status_code == 422 and sentence(answer, "__all__")
    assert not Deployment.objects.exists()


def test_a_wrong_github_secret_is_said_beside_it(browser_of: Browser, people: dict[str, User]) -> None:
    app = {"github_client_id": "Ov23liSlipwayDemo001", "github_secret": "wrong-secret-1", "github_organisations": "a"}
    answer = send(browser_of, people, access="github", **app)
    assert sentence(answer, "github_secret") and b"wrong-secret-1" not in answer.content


def test_a_github_app_that_fits_is_kept_in_the_vault(browser_of: Browser, people: dict[str, User]) -> None:
    app = {
        "github_client_id": "Ov23liSlipwayDemo001",
        "github_secret": "github-demo-secret",
        "github_organisations": "slipwayorg",
    }
    assert send(browser_of, people, access="github", **app).status_code == 302
    assert SecretRef.objects.filter(purpose="github-secret", state=SecretState.STORED).exists()


def test_more_than_the_policy_allows_is_said_with_what_to_do(browser_of: Browser, people: dict[str, User]) -> None:
    SpendingPolicy.objects.create(group=None, max_monthly_cost="10")
    assert "Choose fewer or smaller nodes" in sentence(send(browser_of, people), "__all__")
