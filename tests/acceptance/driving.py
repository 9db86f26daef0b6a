"""What every test in a browser does: a stack of its own, Chromium, people who sign in, a hub that is built."""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from bootstrap.stack import Stack

PATIENCE = 90_000  # milliseconds for what the simulated cloud does


@contextmanager
def a_stack(home: Path, **settings: str) -> Iterator[Stack]:
    """Everything that Slipway needs, two hundred times as fast as reality; `settings` go to every process."""
    helm = os.environ.get("HELM_BINARY")
    quick = {"SLIPWAY_POLL_SECONDS": "0.2", "SLIPWAY_LIST_LAG_SECONDS": "2"} | settings
    with Stack(home, speed=200, helm=Path(helm) if helm else None, extra_env=quick) as running:
        running.start()
        yield running


@contextmanager
def a_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        binary = os.environ.get("CHROMIUM_BINARY", "/usr/bin/chromium")
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        browser = playwright.chromium.launch(executable_path=binary, args=arguments)
        yield browser
        browser.close()


def signed_in(chromium: Browser, stack: Stack, username: str) -> Page:
    # The simulated GitHub and hubs with HTTPS have certificates of an authority that the browser does not know.
    page = chromium.new_context(ignore_https_errors=True).new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{stack.address}sign-in/")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(stack.passwords[username])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My hubs")).to_be_visible()
    return page


def at_the_form(chromium: Browser, stack: Stack) -> Page:
    """The browser of a researcher, at the form for a new hub."""
    page = signed_in(chromium, stack, "researcher")
    wait_for_catalogue(page, stack)
    return page


def wait_for_catalogue(page: Page, stack: Stack) -> None:
    """The worker fills it in the first seconds of a portal's life."""
    for _ in range(60):
        page.goto(f"{stack.address}hubs/new/")
        size = page.get_by_label("Node size")
        if size.count() and size.first.input_value():
            return
        page.wait_for_timeout(500)
    raise AssertionError("the catalogue stayed empty")


def control(stack: Stack, path: str, content: Any, *, method: str = "POST") -> Any:
    """Asks something of the simulated cloud itself."""
    address, body = f"{stack.sandbox_address}/_sandbox/{path}", json.dumps(content).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method=method)
    trust = ssl.create_default_context(cafile=str(Path(stack.env("web")["AZURE_CLOUD_PROFILE"]).parent / "ca.pem"))
    with urllib.request.urlopen(request, context=trust) as answer:
        body = answer.read()
    return json.loads(body) if body else None


def add_docker_account(stack: Stack, username: str, token: str) -> None:
    control(stack, "dockerhub/accounts", {"username": username, "token": token, "organisations": []})


def fill_in(page: Page, name: str, purpose: str, username: str, token: str) -> None:
    """What everybody who asks for a hub must type; its images go to that account at Docker Hub."""
    page.get_by_label("Hub name").fill(name)
    page.get_by_label("What is it for?").fill(purpose)
    page.get_by_label("Docker Hub username").fill(username)
    page.get_by_label("Docker Hub access token").fill(token)
    page.get_by_label("Image prefix").fill(f"{name}-")


def send(page: Page) -> str:
    """Sends the form that was filled in; returns the address of the hub's page."""
    page.get_by_role("button", name="Request this hub").click()
    expect(page.get_by_text("Waiting for review").first).to_be_visible()
    return page.url


def approve(admin: Page, stack: Stack, hub_page: str) -> None:
    """The request of that hub, as an administrator."""
    admin.goto(hub_page)
    admin.get_by_role("link", name="Review this request").click()
    admin.get_by_role("button", name="Approve").click()
