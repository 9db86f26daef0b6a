"""What is checked while one types and before a request is taken: each thing tried for real, over the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import SpendingPolicy, User
from deployments.forms import new_draft
from deployments.models import Deployment, SecretRef
from tests.sandbox_process import SandboxProcess
from tests.web.conftest import TRIAL
from tests.web.test_form import filled, send, sentence

Browser = Callable[[str], Client]
Check = Callable[..., str]
pytestmark = pytest.mark.usefixtures("sandbox", "catalogue")
GITHUB = {"access": "everyone", "github_client_id": "Ov23liSlipwayDemo001", "github_secret": "github-demo-secret"}


@pytest.fixture
def check(browser_of: Browser, people: dict[str, User]) -> Check:
    """What the page shows when this is typed; `about` names a section whose secrets are tried."""

    def checked(about: str = "", **changes: Any) -> str:
        address = "/hubs/new/check" + (f"?about={about}" if about else "")
        answer = browser_of("researcher").post(address, filled(people["researcher"], **changes))
        assert answer.status_code == 200
        page: str = answer.content.decode()
        assert not any(secret in page for secret in (*SECRETS, "canary"))
        return page

    return checked


SECRETS = ("dckr_pat_demo", "github-demo-secret", "registry-demo-token")


@pytest.fixture
def university(sandbox: SandboxProcess) -> dict[str, Any]:
    """A registry that is neither Docker Hub's nor Azure's, with who may push there."""
    found = next(each for each in sandbox.control("registries") if each["name"] == "university")
    return {
        "registry": "other", "registry_address": found["address"], "registry_username": "robot-slipway",
        "registry_token": "registry-demo-token", "registry_project": "research",
    }  # fmt: skip


def test_a_plain_hub_has_nothing_in_its_way(check: Check) -> None:
    assert "Nothing stands in the way so far." in check()


def test_what_nobody_has_typed_yet_is_not_wrong_yet(check: Check) -> None:
    page = check(name="", docker_username="", docker_token="", purpose="")
    assert "Nothing stands in the way so far." in page


def test_a_finding_says_what_and_what_to_do_and_leads_to_its_field(check: Check) -> None:
    page = check(storage_gib="5")
    assert "must sign in to have one" in page and "leave the folder out" in page and 'href="#id_storage_gib"' in page
    assert 'class="finding error"' in page


def test_errors_come_before_warnings(check: Check) -> None:
    page = check(storage_gib="5", node_size="Standard_D2s_v5")
    assert page.index("finding error") < page.index("finding warning")


def test_quota_that_all_the_nodes_do_not_fit_is_said_beside_the_form(check: Check) -> None:
    page = check(pools="two", user_node_size="Standard_D4s_v5", user_nodes_max="20")
    assert "This hub needs 92 cores" in page and "40 are left" in page


def test_more_than_the_policy_allows_is_said_while_one_types(check: Check) -> None:
    SpendingPolicy.objects.create(group=None, max_monthly_cost="10")
    assert "your group may spend 10" in check()


def test_a_registry_sign_in_that_works_is_said(check: Check) -> None:
    assert "may store images" in check("registry")


def test_no_secret_no_claim(check: Check) -> None:
    page = check("registry", docker_token="")
    assert "The sign-in works" not in page and "finding" not in page


@pytest.mark.parametrize(
    ("changes", "words", "field"),
    [
        ({"docker_token": "dckr_pat_canary"}, "does not accept this username with this token", "docker_token"),
        ({"docker_organisation": "someoneelse"}, "may not store images in the organisation", "docker_organisation"),
    ],
)
def test_docker_hub_is_tried_while_one_types(changes: dict[str, Any], words: str, field: str, check: Check) -> None:
    page = check("registry", **changes)
    assert words in page and f'href="#id_{field}"' in page


def test_another_registry_is_tried_too(check: Check, university: dict[str, Any]) -> None:
    assert "may store images" in check("registry", **university)
    assert "does not accept" in check("registry", **university | {"registry_token": "canary-1"})
    assert "may not store" in check("registry", **university | {"registry_project": "elsewhere"})


def test_what_is_no_registry_is_said(check: Check, sandbox: SandboxProcess, university: dict[str, Any]) -> None:
    page = check("registry", **university | {"registry_address": f"127.0.0.1:{sandbox.hub_port}"})
    assert "registry_address" in page and "finding" in page


def test_a_github_app_is_tried_while_one_types(check: Check) -> None:
    assert "GitHub knows this app" in check("people", **GITHUB)
    assert "does not accept this client secret" in check("people", **GITHUB | {"github_secret": "canary-secret"})


def test_an_app_with_another_callback_is_said(check: Check, sandbox: SandboxProcess) -> None:
    app = {"client_id": "Ov23liElsewhere0001", "client_secret": "github-demo-secret", "callback": "https://a.example/"}
    sandbox.control("github/apps", app)
    page = check("people", **GITHUB | {"github_client_id": app["client_id"]})
    assert "another callback address" in page and "/hub/oauth_callback" in page


def test_where_an_own_domain_leads_is_looked_up(check: Check, sandbox: SandboxProcess) -> None:
    assert "quiet.example.org does not lead to this hub yet." in check(domain="quiet.example.org")
    sandbox.control("dns/records", {"name": "busy.example.org", "type": "CNAME", "value": "www.example.org"})
    page = check(domain="busy.example.org")
    assert "It leads to www.example.org now." in page and 'href="#id_domain"' in page


def test_a_domain_that_leads_to_the_hub_has_nothing_in_its_way(
    check: Check, sandbox: SandboxProcess, people: dict[str, User]
) -> None:
    draft = new_draft(people["researcher"])  # the hub's addresses hang on it
    page = check(domain="first.example.org", draft=draft)
    record = re.search(r"CNAME (my-course-[0-9a-f]{6}\.uksouth\.cloudapp\.azure\.com)", page)
    assert record, page
    sandbox.control("dns/records", {"name": "second.example.org", "type": "CNAME", "value": record[1]})
    assert "Nothing stands in the way so far." in check(domain="second.example.org", draft=draft)


def test_a_resolver_that_does_not_answer_holds_up_nobody(check: Check, sandbox: SandboxProcess) -> None:
    sandbox.fault("/dns/resolve", "unavailable", count=9)
    assert "Nothing stands in the way so far." in check(domain="unknown.example.org")
    sandbox.clear_faults()


def test_a_template_repository_is_looked_for(check: Check, sandbox: SandboxProcess) -> None:
    base = f"{sandbox.origin}/github"
    assert "no public Git repository" in check(template_repository=f"{base}/nobody/nothing")
    there = f"{base}/binder-examples/requirements"
    assert "no branch called nowhere" in check(template_repository=there, template_branch="nowhere")
    assert "Nothing stands in the way" in check(template_repository=there, template_branch="master")


def test_expert_values_that_the_chart_does_not_know_are_said_with_their_line(check: Check) -> None:
    assert "Line 2, column 3" in check(overlay="jupyterhub:\n  singleusr: {}\n")


def test_expert_values_show_what_they_change(check: Check) -> None:
    assert "+    extraEnv:" in check(overlay="jupyterhub:\n  singleuser:\n    extraEnv: {A: b}\n").replace(
        "&quot;", '"'
    )


# --- and when the form is sent --------------------------------------------------------------------------------


def test_another_registry_is_verified_before_a_request_is_taken(
    browser_of: Browser, people: dict[str, User], university: dict[str, Any]
) -> None:
    refused = send(browser_of, people, **university | {"registry_token": "canary-2"})
    assert "does not accept" in sentence(refused, "registry_token") and b"canary-2" not in refused.content
    taken = send(browser_of, people, **university)
    assert taken.status_code == 302 and SecretRef.objects.filter(purpose="docker-token").exists()


def test_a_registry_in_azure_needs_no_credentials(browser_of: Browser, people: dict[str, User]) -> None:
    answer = send(browser_of, people, registry="acr", docker_username="", docker_token="")
    assert answer.status_code == 302
    assert set(SecretRef.objects.values_list("purpose", flat=True)) == {"hub-tokens"}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"storage_gib": "5"}, "storage_gib", "must sign in"),
        ({"template_repository": "/nobody/nothing"}, "template_repository", "no public Git repository"),
        (GITHUB | {"github_secret": "wrong"}, "github_secret", "client secret"),
        (GITHUB | {"github_client_id": "Ov23liUnknown000001"}, "github_client_id", "knows no app"),
        (GITHUB | {"private_repositories": "on", "private_token": "ghp_wrong"}, "private_token", "not accepted"),
        ({"pools": "two", "user_node_size": "Standard_D4s_v5", "user_nodes_max": "20"}, "node_count", "92 cores"),
    ],
)
def test_what_blocks_is_said_beside_its_field_and_nothing_is_made(
    changes: dict[str, Any], field: str, words: str, browser_of: Browser, people: dict[str, User],
    sandbox: SandboxProcess,
) -> None:  # fmt: skip
    if "template_repository" in changes:
        changes = {"template_repository": f"{sandbox.origin}/github{changes['template_repository']}"}
    SpendingPolicy.objects.create(group=None, max_monthly_cost="9000")
    answer = send(browser_of, people, **changes)
    assert answer.status_code == 422 and words in sentence(answer, field), answer.context["form"].errors
    assert not Deployment.objects.exists()


def test_a_warning_does_not_hold_up_a_request(browser_of: Browser, people: dict[str, User], check: Check) -> None:
    assert "finding warning" in check(node_size="Standard_D2s_v5")
    assert send(browser_of, people, node_size="Standard_D2s_v5").status_code == 302


def test_what_was_typed_for_the_same_place_is_judged_as_it_is(browser_of: Browser, people: dict[str, User]) -> None:
    client, typed = browser_of("researcher"), filled(people["researcher"], subscription_id=TRIAL)
    page = client.post("/hubs/new/parts", typed, headers={"HX-Target": "after-subscription"})
    fitted = page.context["form"]["fitted"].value()
    assert f'value="{fitted}"' in page.content.decode()
    same = typed | {"fitted": fitted, "node_size": "Standard_D2s_v5", "node_count": "3"}
    told = client.post("/hubs/new/check", same).content.decode()
    assert "This hub needs 6 cores" in told and "Only 2 of this size fit." in told
