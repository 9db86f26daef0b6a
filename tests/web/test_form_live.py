"""The form in a browser: what is shown and hidden, checked while one types, and never taken from under one's hands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright

from deployments import outside

pytestmark = [pytest.mark.usefixtures("sandbox"), pytest.mark.django_db(transaction=True)]
Drive = Callable[[Callable[[Page], Any]], Any]


@pytest.fixture(scope="module")
def thread() -> Iterator[ThreadPoolExecutor]:
    """Playwright's loop lives here: Django refuses its database in a thread that has one."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def chromium(thread: ThreadPoolExecutor) -> Iterator[Any]:
    playwright = thread.submit(lambda: sync_playwright().start()).result()
    binary = os.environ.get("CHROMIUM_BINARY", "/usr/bin/chromium")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    browser = thread.submit(lambda: playwright.chromium.launch(executable_path=binary, args=arguments)).result()
    yield browser
    thread.submit(browser.close).result()
    thread.submit(playwright.stop).result()


@pytest.fixture
def drive(
    live_server: Any, catalogue: None, browser_of: Callable[[str], Client], chromium: Any, thread: ThreadPoolExecutor
) -> Iterator[Drive]:
    """Runs a function with the page of a new request open."""
    cookies = [
        {"name": name, "value": morsel.value, "url": live_server.url}
        for name, morsel in browser_of("researcher").cookies.items()
    ]

    def opened(act: Callable[[Page], Any], javascript: bool = True) -> Any:
        context = chromium.new_context(java_script_enabled=javascript)
        try:
            context.add_cookies(cookies)
            page = context.new_page()
            page.set_default_timeout(8_000)
            page.goto(f"{live_server.url}/hubs/new/")
            return act(page)
        finally:
            context.close()

    yield lambda act, **options: thread.submit(opened, act, **options).result()


def test_only_the_fields_of_what_was_chosen_are_shown(drive: Drive) -> None:
    def act(page: Page) -> None:
        expect(page.get_by_label("Docker Hub username")).to_be_visible()
        expect(page.get_by_label("Registry address")).to_be_hidden()
        page.get_by_label("Another registry").check()
        expect(page.get_by_label("Registry address")).to_be_visible()
        expect(page.get_by_label("Docker Hub username")).to_be_hidden()
        page.get_by_label("A registry in Azure").check()
        expect(page.get_by_label("Project in the registry")).to_be_visible()
        expect(page.get_by_label("Registry token")).to_be_hidden()
        expect(page.get_by_label("GitHub client ID")).to_be_hidden()
        page.get_by_label("Everyone who signs in").check()
        expect(page.get_by_label("GitHub client ID")).to_be_visible()
        expect(page.get_by_label("Allowed GitHub organisations")).to_be_hidden()

    drive(act)


def test_findings_come_while_one_types_and_take_neither_focus_nor_text(drive: Drive) -> None:
    def act(page: Page) -> None:
        page.get_by_label("Hub name").fill("my-course")
        field = page.get_by_label("Docker Hub username")
        field.press_sequentially("me@example")
        expect(page.locator("#advice")).to_contain_text("This is an e-mail address")
        field.press_sequentially(".org")
        expect(field).to_be_focused()
        expect(field).to_have_value("me@example.org")
        expect(page.locator("#derived")).to_contain_text("my-course")
        field.fill("slipwaydemo")
        expect(page.locator("#advice")).not_to_contain_text("e-mail address")

    drive(act)


def test_a_finding_leads_to_its_field_even_in_a_closed_section(drive: Drive) -> None:
    def act(page: Page) -> None:
        section = page.locator("#section_limits")
        section.locator("summary").click()
        page.get_by_label("Most sessions at a time").fill("0")
        section.locator("summary").click()
        page.locator("#advice").get_by_role("link", name="Most sessions at a time").click()
        expect(page.get_by_label("Most sessions at a time")).to_be_focused()

    drive(act)


def test_secrets_travel_only_with_the_check_of_their_own_section(drive: Drive) -> None:
    def act(page: Page) -> list[str]:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
        page.get_by_label("Hub name").fill("my-course")
        page.get_by_label("Docker Hub access token").fill("canary-111")
        page.get_by_label("Everyone who signs in").check()
        with page.expect_response(lambda answer: "about=people" in answer.url):
            page.get_by_label("GitHub client secret").fill("canary-222")
            page.get_by_label("GitHub client ID").fill("Ov23liSlipwayDemo001")
        page.get_by_label("Another registry").check()
        with page.expect_response(lambda answer: "about=registry" in answer.url):
            page.get_by_label("Registry user").fill("robot")
            page.get_by_label("Image prefix").fill("binder-")
        return sent

    sent = drive(act)
    with_secrets = [each for each in sent if "canary" in each]
    assert with_secrets and all("/check?about=" in each for each in with_secrets)
    assert not any("canary-111" in each for each in sent if "registry=other" in each)


def test_expert_values_show_their_mistake_and_then_what_they_change(drive: Drive) -> None:
    def act(page: Page) -> None:
        page.get_by_label("Hub name").fill("my-course")
        page.locator("#section_expert summary").click()
        page.get_by_label("Expert values").fill("jupyterhub:\n  proxy:\n    https: {}\n")
        expect(page.locator("#overlay-check")).to_contain_text("Line 3, column 5")
        page.get_by_label("Expert values").fill("jupyterhub:\n  debug:\n    enabled: true\n")
        expect(page.locator("#overlay-check .added").first).to_contain_text("+")

    drive(act)


def test_the_record_and_githubs_addresses_follow_what_is_typed(drive: Drive) -> None:
    its_own = outside.profile().domain_url("hub.example.org")

    def act(page: Page) -> None:
        page.get_by_label("Hub name").fill("my-course")
        page.get_by_label("Everyone who signs in").check()
        page.locator("#section_address summary").click()
        page.get_by_label("Your own domain").fill("hub.example.org")
        expect(page.locator("#record-text")).to_contain_text("hub.example.org. CNAME")
        expect(page.locator("#callback-url")).to_have_text(f"{its_own}hub/oauth_callback")
        link = page.get_by_role("link", name="Register the app on GitHub").get_attribute("href") or ""
        assert "/settings/applications/new?oauth_application%5Bname%5D=Binder+my-course" in link

    drive(act)


def test_without_javascript_every_field_can_be_filled_in(drive: Drive) -> None:
    def act(page: Page) -> None:
        for section in ("address", "private", "nodes", "look", "limits", "expert"):
            page.locator(f"#section_{section} summary").click()
        for label in ("Registry address", "GitHub client ID", "Your own domain", "Node size for sessions", "Title"):
            expect(page.get_by_label(label)).to_be_visible()
        page.get_by_label("Hub name").fill("my-course")
        page.get_by_role("button", name="Update sizes").click()
        expect(page.locator("#derived")).to_contain_text("slipway-my-course-")

    drive(act, javascript=False)
