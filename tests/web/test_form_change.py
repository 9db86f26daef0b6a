"""Changing a hub that stands: the same form, what cannot change, what would change, and the change itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from deployments.forms.change import ChangeForm
from deployments.models import Deployment, Operation, SecretRef
from deployments.spec import HubSpec
from deployments.states import Lifecycle, OperationKind, SecretState
from tests.sandbox_process import SandboxProcess

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
pytestmark = pytest.mark.usefixtures("sandbox", "catalogue")


@pytest.fixture
def hub(make_hub: MakeHub) -> Deployment:
    """A hub that serves, with its secret in the vault."""
    made = make_hub(lifecycle=Lifecycle.READY)
    keep_secret(made, "docker-token")
    return made


def keep_secret(hub: Deployment, purpose: str) -> None:
    SecretRef.objects.create(
        deployment=hub, purpose=purpose, vault_name=f"{hub.id.hex}-{purpose}", set_by=hub.owner,
        state=SecretState.STORED, version="1",
    )  # fmt: skip


def describe(hub: Deployment, **changes: Any) -> HubSpec:
    """Makes the hub's description another one; returns it."""
    revision = hub.revision
    revision.data = replace(revision.spec, **changes).to_json()
    revision.save()
    return hub.revision.spec


def typed(hub: Deployment, **changes: Any) -> dict[str, Any]:
    """What the form sends when only `changes` were typed."""
    form = ChangeForm(hub.owner, hub)
    values = {name: form[name].value() for name, field in form.fields.items() if not field.disabled}
    return {name: value for name, value in (values | changes).items() if value not in (None, False)}


def send(browser_of: Browser, hub: Deployment, **changes: Any) -> Any:
    return browser_of("researcher").post(f"/hubs/{hub.id}/change/", typed(hub, **changes))


def sentence(answer: Any, field: str) -> str:
    return " ".join(answer.context["form"].errors.get(field, []))


def test_the_form_shows_the_hub_as_it_stands(browser_of: Browser, hub: Deployment) -> None:
    describe(hub, title="Statistics", most_sessions=40, access="github", github_client_id="Ov23liSlipwayDemo001",
             github_everyone=True)  # fmt: skip
    page = browser_of("researcher").get(f"/hubs/{hub.id}/change/").content.decode()
    for part in ('value="Statistics"', 'value="40"', 'value="everyone" class="', 'value="Ov23liSlipwayDemo001"'):
        assert part.removesuffix(' class="') in page


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"access": "github", "github_client_id": "Ov23liSlipwayDemo001", "github_organisations": ("a", "b")},
        {"access": "github", "github_client_id": "Ov23liSlipwayDemo001", "github_everyone": True, "storage_gib": 5},
        {"registry": "other", "docker_username": "", "registry_address": "registry.example.org",
         "registry_username": "robot", "registry_project": "research"},
        {"registry": "acr", "docker_username": ""},
        {"user_node_size": "Standard_D4s_v5", "user_nodes_min": 0, "user_nodes_max": 5, "tier": "Standard"},
        {"user_memory_gib": 2.0, "user_cpus": 0.5, "idle_minutes": 30, "allowed_repositories": ("a/b", "c/*")},
        {"overlay": "jupyterhub:\n  singleuser:\n    extraEnv: {A: b}\n", "domain": "hub.example.org"},
        {"os_disk_gib": 64, "title": "A", "banner": "B", "private_repositories": True},
    ],
)  # fmt: skip
def test_a_form_sent_as_it_came_changes_nothing(changes: dict[str, Any], browser_of: Browser, hub: Deployment) -> None:
    describe(hub, **changes)
    answer = send(browser_of, hub)
    assert answer.status_code == 422 and "Nothing would change" in sentence(answer, "__all__")
    assert not Operation.objects.exists()


@pytest.mark.parametrize("field", ["name", "subscription_id", "region", "node_size", "os_disk_gib", "registry"])
def test_what_cannot_change_is_shown_with_the_reason_and_ignored_when_sent(
    field: str, browser_of: Browser, hub: Deployment
) -> None:
    if field == "registry":
        describe(hub, registry="acr", docker_username="")
    form = browser_of("researcher").get(f"/hubs/{hub.id}/change/").context["form"]
    assert form.fields[field].disabled and "Cannot be changed here" in form.fields[field].help_text
    answer = send(browser_of, hub, **{field: "dockerhub" if field == "registry" else "northeurope"})
    assert "Nothing would change" in sentence(answer, "__all__")


def test_secrets_are_not_asked_for(browser_of: Browser, hub: Deployment) -> None:
    page = browser_of("researcher").get(f"/hubs/{hub.id}/change/").content.decode()
    assert 'type="password"' not in page


def test_what_would_change_is_shown_before_anything_does(browser_of: Browser, hub: Deployment) -> None:
    answer = send(browser_of, hub, most_sessions=25, node_count=2)
    page = answer.content.decode()
    assert answer.status_code == 200 and "Most sessions at a time" in page and "total_quota: 25" in page
    assert [(each.before, each.after) for each in answer.context["edit"].changed] == [("3", "2"), ("", "25")]
    assert "Apply this change" in page and not Operation.objects.exists() and hub.revisions.count() == 1


def test_a_change_that_was_looked_at_is_applied(browser_of: Browser, hub: Deployment) -> None:
    answer = send(browser_of, hub, most_sessions=25, apply="1")
    assert answer.status_code == 302 and answer.headers["Location"] == hub.get_absolute_url()
    operation = Operation.objects.get()
    assert operation.kind == OperationKind.CHANGE and operation.revision.spec.most_sessions == 25


def test_going_back_keeps_what_was_typed(browser_of: Browser, hub: Deployment) -> None:
    answer = send(browser_of, hub, title="Other", most_sessions=7, edit="1")
    assert answer.status_code == 200 and 'value="Other"' in answer.content.decode()
    assert answer.context["form"]["most_sessions"].value() == "7" and not Operation.objects.exists()


def test_a_box_that_was_unticked_stays_so(browser_of: Browser, hub: Deployment) -> None:
    describe(hub, access="github", github_everyone=True, github_client_id="Ov23liSlipwayDemo001",
             private_repositories=True)  # fmt: skip
    client, sent = browser_of("researcher"), typed(hub, private_repositories=False)
    answer = client.post(f"/hubs/{hub.id}/change/", sent | {"edit": "1"})
    assert not answer.context["form"]["private_repositories"].value()
    keep_secret(hub, "github-secret")
    client.post(f"/hubs/{hub.id}/change/", sent | {"apply": "1"})
    assert Operation.objects.get().revision.spec.private_repositories is False


def test_a_change_that_brings_a_secret_asks_for_just_that_one(browser_of: Browser, hub: Deployment) -> None:
    changes = {"access": "everyone", "github_client_id": "Ov23liSlipwayDemo001"}
    answer = send(browser_of, hub, **changes)
    assert list(answer.context["secrets"].fields) == ["github_secret"]
    refused = send(browser_of, hub, apply="1", **changes)
    assert refused.status_code == 422 and not Operation.objects.exists()
    applied = send(browser_of, hub, apply="1", github_secret="github-demo-secret", **changes)
    assert applied.status_code == 302
    assert hub.secrets.get(purpose="github-secret").state == SecretState.STORED


def test_a_new_secret_is_tried_before_the_change_is_applied(browser_of: Browser, hub: Deployment) -> None:
    changes = {"access": "everyone", "github_client_id": "Ov23liSlipwayDemo001", "apply": "1"}
    answer = send(browser_of, hub, github_secret="canary-wrong", **changes)
    assert answer.status_code == 422 and "does not accept this client secret" in answer.content.decode()
    assert answer.context["secrets"].errors["github_secret"] and b"canary-wrong" not in answer.content
    assert "Type the secrets again" in answer.content.decode() and not Operation.objects.exists()


def test_what_stands_in_the_way_of_a_change_is_said(browser_of: Browser, hub: Deployment) -> None:
    answer = send(browser_of, hub, storage_gib="5", apply="1")
    assert answer.status_code == 422 and "must sign in to have one" in sentence(answer, "storage_gib")
    assert not Operation.objects.exists()


def test_another_account_needs_its_own_token(browser_of: Browser, hub: Deployment) -> None:
    answer = send(browser_of, hub, docker_username="somebody")
    assert list(answer.context["secrets"].fields) == ["docker_token"]


def test_images_may_move_to_another_registry_with_its_own_token(
    browser_of: Browser, hub: Deployment, sandbox: SandboxProcess
) -> None:
    host = next(each for each in sandbox.control("registries") if each["name"] == "university")["address"]
    other = {"registry": "other", "registry_address": host, "registry_username": "robot-slipway",
             "registry_project": "research"}  # fmt: skip
    looked = send(browser_of, hub, **other)
    assert list(looked.context["secrets"].fields) == ["registry_token"]
    assert "Images built so far stay where they are" in looked.content.decode()
    refused = send(browser_of, hub, **other, registry_token="not-the-token", apply="1")
    assert refused.status_code == 422 and "does not accept" in refused.content.decode()
    send(browser_of, hub, **other, registry_token="registry-demo-token", apply="1")
    assert hub.operations.get().arguments == {"purposes": ["docker-token"]}


def test_more_cost_waits_for_a_reviewer_and_says_so(browser_of: Browser, hub: Deployment) -> None:
    page = send(browser_of, hub, node_count=4).content.decode()
    assert "a reviewer looks at it" in page and "Ask for this change" in page
    send(browser_of, hub, node_count=4, apply="1")
    assert not Operation.objects.exists() and hub.revisions.get(number=2).needs_review


def test_kubernetes_goes_up_one_minor_version_at_the_most(browser_of: Browser, hub: Deployment) -> None:
    describe(hub, kubernetes_version="1.33.6")
    form = browser_of("researcher").get(f"/hubs/{hub.id}/change/").context["form"]
    assert [value for value, _ in form.fields["kubernetes_version"].choices] == ["1.33.6", "1.34.3"]
    describe(hub, kubernetes_version="1.31.1")
    form = browser_of("researcher").get(f"/hubs/{hub.id}/change/").context["form"]
    assert [value for value, _ in form.fields["kubernetes_version"].choices] == ["1.31.1"]


def test_nodes_are_added_as_far_as_the_quota_has_room(browser_of: Browser, hub: Deployment) -> None:
    assert send(browser_of, hub, node_count=5).status_code == 200
    describe(hub, node_size="Standard_D64s_v5")
    assert "room for 0 more" in sentence(send(browser_of, hub, node_count=4), "node_count")


def test_somebody_elses_change_meanwhile_is_noticed(browser_of: Browser, hub: Deployment) -> None:
    answer = send(browser_of, hub, title="New", apply="1", number=7)
    assert answer.status_code == 422 and "changed since you opened the form" in sentence(answer, "__all__")


def test_a_hub_that_does_not_run_is_not_changed(browser_of: Browser, make_hub: MakeHub) -> None:
    stopped = make_hub("stopped", lifecycle=Lifecycle.STOPPED)
    answer = browser_of("researcher").get(f"/hubs/{stopped.id}/change/", follow=True)
    assert "cannot be changed now" in answer.content.decode() and answer.redirect_chain[0][0] == f"/hubs/{stopped.id}/"


@pytest.mark.parametrize("path", ["", "parts", "check"])
def test_for_strangers_there_is_no_such_page(path: str, browser_of: Browser, hub: Deployment) -> None:
    assert browser_of("stranger").post(f"/hubs/{hub.id}/change/{path}", {}).status_code == 404


def test_what_is_typed_shows_its_cost_and_what_it_would_change(browser_of: Browser, hub: Deployment) -> None:
    client = browser_of("researcher")
    sent = typed(hub, node_count=5, pools="two", user_node_size="Standard_D4s_v5", user_nodes_max=2, user_nodes_min=0)
    preview = client.post(f"/hubs/{hub.id}/change/parts", sent).context["preview"]
    assert preview.spec.node_count == 5 and preview.estimate.most > preview.estimate.monthly
