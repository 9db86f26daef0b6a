"""A hub that stands, in a browser: changed and put back, stopped and started, given a new secret. One stack for all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from bootstrap.stack import Stack
from tests.acceptance.driving import (
    PATIENCE,
    a_stack,
    add_docker_account,
    approve,
    at_the_form,
    fill_in,
    send,
    signed_in,
)

ACCOUNT, FIRST, SECOND = "runner", "dckr_pat_first-8Kd2", "dckr_pat_second-1Vx9"


@dataclass(frozen=True)
class Standing:
    """A hub that serves, and the browser of its owner."""

    stack: Stack
    page: Page
    address: str

    def open(self) -> Page:
        self.page.goto(self.address)
        return self.page

    def is_ready(self) -> None:
        expect(self.page.get_by_role("link", name="Open your Binder")).to_be_visible(timeout=PATIENCE)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Standing]:
    with a_stack(tmp_path_factory.mktemp("stack")) as stack:
        add_docker_account(stack, ACCOUNT, FIRST)
        page = at_the_form(chromium, stack)
        fill_in(page, "course", "A course that goes on for a while", ACCOUNT, FIRST)
        standing = Standing(stack, page, send(page))
        approve(signed_in(chromium, stack, "admin"), stack, page.url)
        standing.open()
        standing.is_ready()
        yield standing


def _change(hub: Standing, label: str, value: str) -> Page:
    """The page that shows what would change."""
    page = hub.open()
    page.get_by_role("link", name="Change settings and size").click()
    if not page.get_by_label(label).is_visible():
        page.locator("summary", has_text="Limits").click()
    page.get_by_label(label).fill(value)
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("heading", name="What would change in course")).to_be_visible()
    return page


def test_a_change_is_looked_at_and_then_served(hub: Standing) -> None:
    page = _change(hub, "Stop after so many idle minutes", "45")
    expect(page.get_by_role("region", name="What changes in the settings given to Helm")).to_contain_text("2700")
    page.get_by_role("button", name="Apply this change").click()
    expect(page.get_by_role("link", name="Revision 2").first).to_be_visible(timeout=PATIENCE)
    hub.open()
    expect(page.get_by_text("All done.").last).to_be_visible()


def test_a_change_that_does_not_work_is_put_back_and_the_page_says_why(hub: Standing) -> None:
    page = _change(hub, "Never these repositories", "binder-examples/*")
    page.get_by_role("button", name="Apply this change").click()
    told = page.get_by_role("alert").filter(has_text="The hub serves revision 2")
    expect(told).to_be_visible(timeout=PATIENCE)
    expect(told).to_contain_text("Revision 3 was tried")
    expect(told).to_contain_text("could not launch binder-examples/requirements")
    expect(page.get_by_text("Put back what the hub served before").first).to_be_visible()
    told.get_by_role("link", name="Revision 3").click()
    expect(page.get_by_text("Never these repositories")).to_be_visible()


def test_any_repository_is_launched_and_followed(hub: Standing) -> None:
    page = hub.open()
    page.get_by_label("Repository on GitHub").fill("https://github.com/binder-examples/conda")
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_text("a launch of binder-examples/conda was built")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#log")).to_contain_text("The launched server answers")


def test_a_hub_is_stopped_and_started_again(hub: Standing) -> None:
    page = hub.open()
    page.get_by_role("link", name="Stop the hub").click()
    expect(page.get_by_text(re.compile(r"Saved.*£\d", re.DOTALL)).first).to_be_visible()
    page.get_by_role("button", name="Stop the hub").click()
    start = page.get_by_role("button", name="Start the hub")
    expect(start).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("while stopped")).to_be_visible()
    start.click()
    hub.is_ready()


def test_a_new_secret_is_tried_and_used(hub: Standing) -> None:
    page = hub.open()
    page.get_by_role("link", name="Renew secrets").click()
    page.get_by_role("link", name="Renew Registry access token").click()
    page.get_by_label("Docker Hub access token").fill(SECOND)
    page.get_by_role("button", name="Try it and use it").click()
    expect(page.get_by_text("does not accept the username")).to_be_visible()

    add_docker_account(hub.stack, ACCOUNT, SECOND)
    page.get_by_label("Docker Hub access token").fill(SECOND)
    page.get_by_role("button", name="Try it and use it").click()
    expect(page.get_by_role("heading", name="New secrets")).to_be_visible()
    expect(page.locator(".run-head .status")).to_have_text("Done", timeout=PATIENCE)
    hub.is_ready()
    assert SECOND not in page.content() and FIRST not in page.content()
