"""A hub of everything that is not the plain case: sign-in with GitHub, HTTPS, a domain and a registry of its own.

One hub in a browser from its form to its receipt; each test goes on where the one before it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from bootstrap.stack import Stack
from tests.acceptance.driving import PATIENCE, a_stack, approve, at_the_form, control, send, signed_in

DOMAIN = "stats.example.org"


@dataclass(frozen=True)
class Asked:
    """A hub that was asked for, the browser of its owner, and the app that they registered for it."""

    stack: Stack
    page: Page
    address: str
    record: str
    client_id: str
    client_secret: str
    callback: str

    def open(self) -> Page:
        self.page.goto(self.address)
        return self.page

    def done(self) -> None:
        """What was begun last has come to a good end."""
        expect(self.page.locator(".run-head .status")).to_have_text("Done", timeout=PATIENCE)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Asked]:
    with a_stack(tmp_path_factory.mktemp("stack"), SANDBOX_HTTPS="on") as stack:
        page = at_the_form(chromium, stack)
        page.get_by_label("Hub name").fill("stats")
        page.get_by_label("What is it for?").fill("Statistics for forty people")
        page.get_by_label("A registry in Azure that Slipway makes").check()
        page.get_by_label("People who sign in with GitHub").check()
        page.get_by_label("Allowed GitHub organisations").fill("slipwayorg")
        page.locator("summary", has_text="Address and HTTPS").click()
        page.get_by_label("Your own domain").fill(DOMAIN)
        expect(page.locator("#record-text")).to_contain_text(f"{DOMAIN}. CNAME stats-")
        client_id, client_secret = registered(page)
        page.get_by_label("GitHub client ID").fill(client_id)
        page.get_by_label("GitHub client secret").fill(client_secret)
        page.get_by_label("GitHub client secret").blur()
        expect(page.get_by_text("GitHub knows this app, its secret and its callback address.")).to_be_visible()
        expect(page.get_by_text(f"{DOMAIN} does not lead to this hub yet.")).to_be_visible()
        told = [str(page.locator(each).text_content()) for each in ("#record-text", "#callback-url")]
        yield Asked(stack, page, send(page), told[0], client_id, client_secret, told[1])


def registered(page: Page) -> tuple[str, str]:
    """Follows the form's link to GitHub, changes nothing there, and presses its button."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Register the app on GitHub").click()
    github = opened.value
    expect(github.get_by_label("Authorization callback URL")).to_have_value(
        re.compile(r"^https://.*/hub/oauth_callback$")
    )
    github.get_by_role("button", name="Register application").click()
    found = (str(github.locator("#client-id").text_content()), str(github.locator("#client-secret").text_content()))
    github.close()
    return found


def test_the_build_waits_for_the_record_of_the_domain_and_then_goes_on(asked: Asked, chromium: Browser) -> None:
    approve(signed_in(chromium, asked.stack, "admin"), asked.stack, asked.address)
    page = asked.open()
    waiting = page.locator(".step", has_text="Your own domain")
    expect(waiting).to_contain_text(f"Waiting for somebody to make this record: {asked.record}", timeout=PATIENCE)
    expect(page.locator("#hub-record")).to_have_text(asked.record)
    control(
        asked.stack, "dns/records", {"name": DOMAIN, "type": "CNAME", "value": asked.record.split()[-1].rstrip(".")}
    )
    expect(page.get_by_role("link", name="Open your Binder")).to_be_visible(timeout=PATIENCE)


def test_the_page_shows_the_certificate_and_how_far_the_sign_in_was_tried(asked: Asked) -> None:
    page = asked.open()
    expect(page.locator("dt:text-is('Certificate') + dd")).to_have_text(re.compile(r"Valid\s+until \d+ \w+ \d{4}"))
    tried = page.locator(".proof", has_text="Sign-in:")
    expect(tried).to_contain_text("tried as far as GitHub's page")
    expect(tried).to_contain_text(asked.client_id)
    expect(tried).to_contain_text(asked.callback)
    assert asked.client_secret not in page.content()


def test_a_member_of_the_organisation_signs_in_with_github_and_launches(asked: Asked, chromium: Browser) -> None:
    visitor = at_the_hub(asked, chromium, "octocat")
    visitor.get_by_label("GitHub repository").fill("binder-examples/requirements")
    visitor.get_by_role("button", name="Launch").click()
    visitor.get_by_role("link", name="Open the notebook").click(timeout=PATIENCE)
    expect(visitor.get_by_text("Your server is running")).to_be_visible()
    assert "/user/octocat/" in visitor.url and visitor.url.startswith("https://")


def test_somebody_else_is_turned_away(asked: Asked, chromium: Browser) -> None:
    visitor = at_the_hub(asked, chromium, "hubot")
    expect(visitor.get_by_text("not currently authorized to use this hub")).to_be_visible()


def at_the_hub(asked: Asked, chromium: Browser, login: str) -> Page:
    """Where that person ends who opens the hub's address and signs in."""
    visitor = chromium.new_context(ignore_https_errors=True).new_page()
    visitor.set_default_timeout(10_000)
    visitor.goto(str(asked.open().get_by_role("link", name="Open your Binder").get_attribute("href")))
    visitor.get_by_role("link", name="Sign in with GitHub").click()
    visitor.get_by_role("button", name=f"Sign in as {login}").click()
    return visitor


def test_the_image_of_the_proof_is_in_the_registry_that_slipway_made(asked: Asked) -> None:
    image = str(asked.open().locator(".proof", has_text="Proof of life").locator("code").last.text_content())
    unique = asked.record.split("stats-")[1].split(".")[0]
    there = control(asked.stack, f"registries/slipwaystats{unique}/images", {}, method="GET")
    assert image.partition("/")[2] in there and image.partition("/")[2].startswith("stats/binder-")


def test_the_registrys_password_is_made_anew_without_typing(asked: Asked) -> None:
    page = asked.open()
    page.get_by_role("link", name="Renew secrets").click()
    page.get_by_role("link", name="Renew Password of the registry in Azure").click()
    page.get_by_role("button", name="Make a new one").click()
    expect(page.get_by_role("heading", name="New secrets")).to_be_visible()
    asked.done()


def test_a_new_client_secret_is_used_once_the_sign_in_was_tried_with_it(asked: Asked) -> None:
    page = asked.open()
    page.get_by_role("link", name="Renew secrets").click()
    page.get_by_role("link", name="Renew GitHub client secret").click()
    page.get_by_label("GitHub client secret").fill("made-up-by-somebody")
    page.get_by_role("button", name="Try it and use it").click()
    expect(page.get_by_text("the client secret does not belong to it")).to_be_visible()
    app = {"client_id": asked.client_id, "client_secret": "another-secret-9Qe4", "callback": asked.callback}
    control(asked.stack, "github/apps", app)
    page.get_by_label("GitHub client secret").fill(app["client_secret"])
    page.get_by_role("button", name="Try it and use it").click()
    expect(page.get_by_role("heading", name="New secrets")).to_be_visible()
    asked.done()
    expect(page.locator(".step", has_text="Sign-in, as far as GitHub's page")).to_contain_text("GitHub knows this app")


def test_taken_down_the_receipt_lists_registry_and_role_and_reminds_of_app_and_record(asked: Asked) -> None:
    page = asked.open()
    page.locator("#take-down").click()
    expect(page.get_by_text("Container registry")).to_be_visible()
    page.get_by_label("Type the hub's name to confirm").fill("stats")
    page.get_by_role("button", name="Take it down").click()
    expect(page.get_by_text("nothing is left").first).to_be_visible(timeout=PATIENCE)
    page.goto(f"{asked.address}receipt/")
    for thing in ("Container registry", "Role"):
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=thing, exact=True))
        expect(row).to_contain_text("Gone")
    reminders = page.locator(".reminders")
    expect(reminders).to_contain_text("The GitHub OAuth app is yours")
    expect(reminders).to_contain_text(f"Have the record {asked.record} removed")
    expect(reminders).not_to_contain_text("Docker Hub")
