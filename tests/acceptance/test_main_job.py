"""The main job in a browser: form, review, live build, open hub, take down, receipt. Only the cloud is simulated."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from bootstrap.stack import Stack
from tests.acceptance.driving import PATIENCE, a_stack, add_docker_account, at_the_form, fill_in, send, signed_in

CANARY = "dckr_pat_canary-7Qf2+x/9zZ"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with a_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def test_from_a_form_to_a_working_hub_and_back(chromium: Browser, stack: Stack) -> None:
    add_docker_account(stack, "canary", CANARY)
    researcher = at_the_form(chromium, stack)
    fill_in(researcher, "workshop", "An afternoon with fifty people", "canary", CANARY)
    detail = send(researcher)

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


def assert_secret_is_nowhere(stack: Stack, page: Page) -> None:
    """Not in the portal's files (database, Redis, logs) nor on the page; the simulated cloud may know it."""
    needle = CANARY.encode()
    home = stack.place.home
    for path in home.rglob("*"):
        if path.is_file() and "sandbox" not in path.relative_to(home).parts:
            assert needle not in path.read_bytes(), path
    assert CANARY not in page.content()
