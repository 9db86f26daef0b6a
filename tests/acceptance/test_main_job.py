"""The main job in a browser: form, review, live build, open hub, take down, receipt. Only the cloud is simulated."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bootstrap.stack import Stack

CANARY = "dckr_pat_canary-7Qf2+x/9zZ"
PATIENCE = 90_000  # milliseconds for what the simulated cloud does


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    helm = os.environ.get("HELM_BINARY")
    settings = {"SLIPWAY_POLL_SECONDS": "0.2", "SLIPWAY_LIST_LAG_SECONDS": "2"}
    with Stack(
        tmp_path_factory.mktemp("stack"), speed=200, helm=Path(helm) if helm else None, extra_env=settings
    ) as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        binary = os.environ.get("CHROMIUM_BINARY", "/usr/bin/chromium")
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        browser = playwright.chromium.launch(executable_path=binary, args=arguments)
        yield browser
        browser.close()


def signed_in(chromium: Browser, stack: Stack, username: str) -> Page:
    page = chromium.new_context().new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{stack.address}sign-in/")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(stack.passwords[username])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My hubs")).to_be_visible()
    return page


def fill_in(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.address}hubs/new/")
    page.get_by_label("Hub name").fill("workshop")
    page.get_by_label("What is it for?").fill("An afternoon with fifty people")
    page.get_by_label("Docker Hub username").fill("canary")
    page.get_by_label("Docker Hub access token").fill(CANARY)
    page.get_by_label("Image prefix").fill("workshop-")


def test_from_a_form_to_a_working_hub_and_back(chromium: Browser, stack: Stack) -> None:
    add_docker_account(stack)
    researcher = signed_in(chromium, stack, "researcher")
    wait_for_catalogue(researcher, stack)
    fill_in(researcher, stack)
    researcher.get_by_role("button", name="Request this hub").click()
    expect(researcher.get_by_text("Waiting for review").first).to_be_visible()
    detail = researcher.url

    admin = signed_in(chromium, stack, "admin")
    admin.goto(f"{stack.address}review/")
    admin.get_by_role("link", name=re.compile("workshop")).first.click()
    admin.get_by_role("button", name="Approve").click()

    researcher.goto(detail)
    opened = researcher.get_by_role("link", name="Open your Binder")
    expect(opened).to_be_visible(timeout=PATIENCE)
    hub = researcher.context.new_page()
    answer = hub.goto(opened.get_attribute("href") or "")
    assert answer is not None and answer.ok
    assert "/services/binder/" in hub.url

    researcher.goto(detail)
    researcher.get_by_role("link", name="Take it down").first.click()
    researcher.get_by_label("Type the hub's name to confirm").fill("workshop")
    researcher.get_by_role("button", name=re.compile("Take it down|Take down")).click()
    expect(researcher.get_by_text("nothing is left").first).to_be_visible(timeout=PATIENCE)
    researcher.goto(f"{detail}receipt/")
    expect(researcher.get_by_text("Nothing is left.").first).to_be_visible()
    assert_secret_is_nowhere(stack, researcher)


def add_docker_account(stack: Stack) -> None:
    import json
    import ssl
    import urllib.request

    request = urllib.request.Request(
        f"{stack.sandbox_address}/_sandbox/dockerhub/accounts",
        json.dumps({"username": "canary", "token": CANARY, "organisations": []}).encode(),
        {"Content-Type": "application/json"},
    )
    trust = ssl.create_default_context(cafile=str(Path(stack.env("web")["AZURE_CLOUD_PROFILE"]).parent / "ca.pem"))
    with urllib.request.urlopen(request, context=trust) as answer:
        assert answer.status in (200, 201)


def wait_for_catalogue(page: Page, stack: Stack) -> None:
    """The worker fills it in the first seconds of a portal's life."""
    for _ in range(60):
        page.goto(f"{stack.address}hubs/new/")
        size = page.get_by_label("Node size")
        if size.count() and size.first.input_value():
            return
        page.wait_for_timeout(500)
    raise AssertionError("the catalogue stayed empty")


def assert_secret_is_nowhere(stack: Stack, page: Page) -> None:
    """Not in the portal's files (database, Redis, logs) nor on the page; the simulated cloud may know it."""
    needle = CANARY.encode()
    home = stack.place.home
    for path in home.rglob("*"):
        if path.is_file() and "sandbox" not in path.relative_to(home).parts:
            assert needle not in path.read_bytes(), path
    assert CANARY not in page.content()
