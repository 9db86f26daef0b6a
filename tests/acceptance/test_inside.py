"""A hub that falls ill, in a browser: its page says what is wrong and what to do, and one looks inside."""

from __future__ import annotations

import re
from collections.abc import Iterator

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

NAME, ACCOUNT, TOKEN = "ailing", "keeper", "dckr_pat_kept-5Tr8"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with a_stack(tmp_path_factory.mktemp("stack"), SLIPWAY_HEALTH_SECONDS="5") as running:
        add_docker_account(running, ACCOUNT, TOKEN)
        yield running


@pytest.fixture(scope="module")
def page(chromium: Browser, stack: Stack) -> Page:
    """The browser of the owner of a hub that serves, on the hub's page."""
    page = at_the_form(chromium, stack)
    fill_in(page, NAME, "To see what happens when it falls ill", ACCOUNT, TOKEN)
    hub = send(page)
    approve(signed_in(chromium, stack, "admin"), stack, hub)
    page.goto(hub)
    expect(page.get_by_role("link", name="Open your Binder")).to_be_visible(timeout=PATIENCE)
    return page


def ail(stack: Stack, **wish: object) -> None:
    control(stack, "kubernetes/symptoms", {"namespace": NAME} | wish)


def test_pods_are_seen_within_seconds_and_a_log_follows_what_is_printed(page: Page, stack: Stack) -> None:
    page.get_by_role("link", name="Look inside").click()
    expect(page.get_by_role("heading", name=f"Inside {NAME}")).to_be_visible()
    parts = page.get_by_role("region", name="The hub's own parts")
    hub = parts.get_by_role("row").filter(has_text="JupyterHub: starts and stops sessions")
    expect(hub).to_contain_text("runs", timeout=5_000)
    expect(hub).to_contain_text("1 of 1")
    expect(page.get_by_text("Slipway finds nothing wrong inside the hub.")).to_be_visible()
    hub.get_by_role("link", name=re.compile("^Log")).click()
    lines = page.get_by_role("log")
    expect(lines).to_contain_text("JupyterHub is now running")
    said = {"namespace": NAME, "pod": "hub-", "lines": [f"signed in with {TOKEN}", "and this is new"]}
    control(stack, "kubernetes/lines", said)
    expect(lines).to_contain_text("and this is new", timeout=5_000)
    expect(lines).to_contain_text("signed in with •••")
    assert TOKEN not in page.content()
    page.get_by_label("Follow").uncheck()
    control(stack, "kubernetes/lines", said | {"lines": [f"line {number}" for number in range(80)]})
    expect(page.get_by_role("button", name="Jump to newest")).to_be_visible(timeout=5_000)
    page.get_by_role("button", name="Jump to newest").click()
    expect(page.get_by_label("Follow")).to_be_checked()
    page.get_by_role("navigation", name="Where you are").get_by_role("link").click()
    expect(page.get_by_role("region", name="Containers the programs in it")).to_contain_text("quay.io/jupyterhub")
    page.get_by_role("link", name=f"Inside {NAME}").click()
    page.get_by_role("link", name="Helm history").click()
    expect(page.get_by_role("row").filter(has_text="Install complete")).to_contain_text("served now", timeout=5_000)
    page.get_by_role("navigation", name="Where you are").get_by_role("link").click()


def test_an_image_that_cannot_be_pulled_is_explained_on_the_hubs_page_and_inside(page: Page, stack: Stack) -> None:
    hub = page.url
    ail(stack, pod="hub-", kind="ImagePullBackOff", replace=True)
    told = page.get_by_role("alert").filter(has_text="Something is wrong inside the hub")
    _reload_until(page, hub, told)
    expect(told).to_contain_text("The registry does not hand out an image that the hub needs.")
    expect(told).to_contain_text("What to do: Give the hub a new access token under Secrets")
    expect(told).to_contain_text("pull access denied")
    told.get_by_role("link", name="Look inside").click()
    expect(page.get_by_text("cannot get its image")).to_be_visible(timeout=5_000)
    expect(page.get_by_text("ImagePullBackOff", exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="What is wrong")).to_contain_text("pull access denied")
    control(stack, "kubernetes/symptoms", {}, method="DELETE")
    expect(page.get_by_text("Slipway finds nothing wrong inside the hub.")).to_be_visible(timeout=PATIENCE)
    page.goto(hub)
    expect(told).to_have_count(0)


def test_without_scripts_the_page_fills_in_by_reloading(page: Page, chromium: Browser) -> None:
    plain = chromium.new_context(java_script_enabled=False, storage_state=page.context.storage_state()).new_page()
    plain.goto(f"{page.url}inside/")
    expect(
        plain.get_by_text("Asking the cluster what runs").or_(plain.get_by_text("JupyterHub: starts"))
    ).to_be_visible()
    expect(plain.get_by_text("JupyterHub: starts and stops sessions")).to_be_visible(timeout=10_000)


def _reload_until(page: Page, address: str, wanted: object) -> None:
    for _ in range(60):
        page.goto(address)
        if wanted.count():  # type: ignore[attr-defined]
            return
        page.wait_for_timeout(1000)
    raise AssertionError("the page never said it")
