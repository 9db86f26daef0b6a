"""A secret typed into the form is in the vault and in the cluster, and nowhere else, whatever goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bootstrap.stack import Stack
from tests.acceptance.driving import (
    PATIENCE,
    a_stack,
    add_docker_account,
    approve,
    at_the_form,
    control,
    fill_in,
    send,
    signed_in,
)
from tests.acceptance.searching import Search, spellings
from tests.cloud.waiting import until

DOCKER = 'dckr-canary"7Qf2+x/9zZ%&='
GITHUB = "github-canary+W8/e=1?Kq5#~v"
APP = "Ov23liCanary00000001"
#: Hub pages that show something of the hub; each is searched as it is.
PAGES = (
    "",
    "values.yaml",
    "receipt/",
    "take-down/",
    "change/",
    "secrets/",
    "versions/",
    "progress",
    "inside/",
    "inside/history/",
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    temporary = tmp_path_factory.mktemp("temporary")
    with a_stack(tmp_path_factory.mktemp("stack"), TMPDIR=str(temporary)) as running:
        add_docker_account(running, "canary", DOCKER)
        control(running, "github/apps", {"client_id": APP, "client_secret": GITHUB, "callback": ""})
        yield running


@pytest.fixture(scope="module")
def researcher(chromium: Browser, stack: Stack) -> Page:
    return at_the_form(chromium, stack)


@pytest.fixture(scope="module")
def admin(chromium: Browser, stack: Stack) -> Page:
    return signed_in(chromium, stack, "admin")


@pytest.fixture
def search(stack: Stack) -> Iterator[Search]:
    with Search(stack, [DOCKER, GITHUB]) as searching:
        yield searching
        control(stack, "faults", {}, method="DELETE")


def fill_in_secrets(page: Page, stack: Stack, name: str, docker: str = DOCKER) -> None:
    page.goto(f"{stack.address}hubs/new/")
    fill_in(page, name, "To see where secrets go", "canary", docker)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.get_by_label("Everyone who signs in with a GitHub account").check()
    page.get_by_label("GitHub client ID").fill(APP)
    page.get_by_label("GitHub client secret").fill(GITHUB)


def requested(page: Page, stack: Stack, name: str) -> str:
    """The address of the hub's page."""
    fill_in_secrets(page, stack, name)
    return send(page)


def look_at_pages(search: Search, page: Page, stack: Stack, hub: str) -> None:
    for path in PAGES:
        search.text(f"page {path or 'of the hub'}", page.request.get(f"{hub}{path}").body())
    for path in ("", "hubs/new/"):
        search.text(f"page /{path}", page.request.get(f"{stack.address}{path}").body())
    for log in re.findall(r"operations/[0-9a-f-]+/", page.request.get(hub).text()):
        search.text("a page of the log", page.request.get(f"{stack.address}{log}log/").body())


def in_the_cloud(stack: Stack, secret: str) -> bool:
    """Whether the simulated cloud has the secret in its own files: the search finds what is there to be found."""
    files = [path for path in stack.place.sandbox_home.rglob("*") if path.is_file()]
    return any(needle in path.read_bytes() for path in files for needle in spellings(secret))


def kubeconfig_secrets(stack: Stack) -> set[str]:
    """Long words of the newest cluster's credentials, as the worker gets them from Azure."""
    script = (
        "from deployments.models import Deployment; from deployments import outside; from cloud.azure import clusters\n"
        "hub = Deployment.objects.order_by('-created_at')[0]; names = hub.names\n"
        "subscription = hub.revision.spec.subscription_id\n"
        "print(clusters.kubeconfig(outside.azure(), subscription, names.group, names.cluster).decode())"
    )
    told = stack.manage("shell", "-v", "0", "-c", script, identity="worker")
    authority = re.search(r"certificate-authority-data: (\S+)", told.stdout)
    return {word for word in told.stdout.split() if len(word) > 40} - {authority[1] if authority else ""}


def test_through_a_whole_life(researcher: Page, admin: Page, stack: Stack, search: Search, tmp_path: Path) -> None:
    hub = requested(researcher, stack, "whole-life")
    assert in_the_cloud(stack, DOCKER) and in_the_cloud(stack, GITHUB)
    search.text("the page after the form", researcher.content())
    approve(admin, stack, hub)
    search.text("an administrator's page", admin.content())
    researcher.goto(hub)
    expect(researcher.get_by_role("link", name="Open your Binder")).to_be_visible(timeout=PATIENCE)
    credentials = kubeconfig_secrets(stack)
    assert credentials
    search.needles = search.needles | {needle: secret for secret in credentials for needle in spellings(secret)}
    look_at_pages(search, researcher, stack, hub)
    researcher.goto(f"{hub}take-down/")
    researcher.get_by_label("Type the hub's name to confirm").fill("whole-life")
    researcher.get_by_role("button", name=re.compile("Take it down|Take down")).click()
    expect(researcher.get_by_text("nothing is left").first).to_be_visible(timeout=PATIENCE)
    look_at_pages(search, researcher, stack, hub)


def test_through_a_form_that_is_refused(researcher: Page, stack: Stack, search: Search) -> None:
    fill_in_secrets(researcher, stack, "refused", docker=DOCKER + "-wrong")
    researcher.get_by_role("button", name="Request this hub").click()
    expect(researcher.get_by_label("Docker Hub access token")).to_have_value("")
    expect(researcher.get_by_label("GitHub client secret")).to_have_value("")
    expect(researcher.get_by_label("Hub name")).to_have_value("refused")
    search.text("the refused form", researcher.content())


def test_through_a_helm_that_fails_with_the_secret_in_its_words(
    researcher: Page, admin: Page, stack: Stack, search: Search
) -> None:
    hub = requested(researcher, stack, "helm-fails")
    shown = " ".join(needle.decode() for needle in sorted(spellings(DOCKER) | spellings(GITHUB)))
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422,
            "message": f"admission webhook denied: {shown}"}  # fmt: skip
    control(stack, "faults", {"path": "/k8s/.*/deployments/hub", "method": "PATCH", "kind": "custom", "status": 422,
                              "body": json.dumps(body), "count": 50})  # fmt: skip
    approve(admin, stack, hub)
    researcher.goto(hub)
    expect(researcher.get_by_role("button", name=re.compile("Retry|Try again")).first).to_be_visible(timeout=PATIENCE)
    look_at_pages(search, researcher, stack, hub)


def test_through_a_worker_that_is_killed_while_helm_is_at_work(
    researcher: Page, admin: Page, stack: Stack, search: Search
) -> None:
    hub = requested(researcher, stack, "killed")
    control(stack, "faults", {"path": "/k8s/.*/deployments/hub", "method": "PATCH", "kind": "hold", "count": 1})
    approve(admin, stack, hub)
    until(lambda: control(stack, "held", {"number": 0}), 60)
    stack.kill("worker", family=True)
    search.look_everywhere()
    stack.start("worker")
    researcher.goto(hub)
    expect(researcher.get_by_role("link", name="Open your Binder")).to_be_visible(timeout=PATIENCE)
    look_at_pages(search, researcher, stack, hub)


def test_through_a_mistake_of_our_own(researcher: Page, admin: Page, stack: Stack, search: Search) -> None:
    hub = requested(researcher, stack, "mistake")
    # What the vault gives back has the wrong shape: our code breaks while it holds the secret.
    answer = {
        "value": json.dumps({"probe_api_token": DOCKER}),
        "id": "https://vault.example/secrets/a/b",
        "attributes": {},
    }
    fault = {"kind": "custom", "status": 200, "body": json.dumps(answer), "count": 500}
    control(stack, "faults", {"path": "/kv/.*hub-tokens", "method": "GET", **fault})
    approve(admin, stack, hub)
    researcher.goto(hub)
    expect(researcher.get_by_text("our mistake").first).to_be_visible(timeout=PATIENCE)
    look_at_pages(search, researcher, stack, hub)
