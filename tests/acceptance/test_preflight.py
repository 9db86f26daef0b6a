"""Too few cores, in a browser: said beside the form, refused when sent, mended; and gone once a hub is to be built."""

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

RESEARCH, TRIAL = "5117a000-0000-4000-8000-00000000c001", "5117a000-0000-4000-8000-00000000c002"
PURPOSE = "A workshop with more people than cores"
ACCOUNT, TOKEN = "quotaperson", "dckr_pat_quota-5Tg1"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The worker looks at Azure anew every other second."""
    quick = {"SLIPWAY_CATALOGUE_SECONDS": "2", "SLIPWAY_REGIONS": "uksouth,westeurope"}
    with a_stack(tmp_path_factory.mktemp("stack"), **quick) as running:
        add_docker_account(running, ACCOUNT, TOKEN)
        yield running


@pytest.fixture
def form(chromium: Browser, stack: Stack) -> Page:
    return at_the_form(chromium, stack)


def allow_cores(stack: Stack, limit: int) -> None:
    control(stack, "azure/quota", {"subscription": RESEARCH, "name": "cores", "limit": limit})


def choose_trial(page: Page, stack: Stack) -> None:
    """It may not ask for Kubernetes' versions yet: the worker borrows them in its first look around."""
    for _ in range(20):
        page.goto(f"{stack.address}hubs/new/")
        page.get_by_label("Subscription").select_option(TRIAL)
        expect(page.get_by_text("A free trial has 4 CPUs")).to_be_visible()
        if page.get_by_label("Kubernetes version").input_value():
            return
        page.wait_for_timeout(500)
    raise AssertionError("no versions were borrowed")


def test_more_nodes_than_there_are_cores_are_refused_and_mended(form: Page, stack: Stack) -> None:
    choose_trial(form, stack)
    fill_in(form, "too-big", PURPOSE, ACCOUNT, TOKEN)
    count = form.get_by_label("Number of nodes", exact=True)
    count.fill("4")
    checks = form.get_by_role("region", name="Checks")
    expect(checks).to_contain_text("This hub needs 8 cores; of “Total Regional vCPUs” only 4 are left in UK South.")
    expect(checks).to_contain_text("Only 2 of this size fit.")
    expect(checks).to_contain_text("ask Azure for more quota")
    expect(form.locator("#field_node_count")).to_contain_text("needs 8 cores")
    expect(count).to_be_focused()

    form.get_by_role("button", name="Request this hub").click()
    expect(form.get_by_role("alert")).to_contain_text("This needs another look")
    expect(form.locator("#id_node_count_error")).to_contain_text("This hub needs 8 cores")
    expect(form.get_by_label("What is it for?")).to_have_value(PURPOSE)
    expect(form.get_by_label("Docker Hub access token")).to_have_value("")

    form.get_by_label("Number of nodes", exact=True).fill("2")
    expect(form.get_by_role("region", name="Checks")).not_to_contain_text("needs 8 cores")
    form.get_by_label("Docker Hub access token").fill(TOKEN)
    send(form)


def test_cores_that_are_gone_when_a_hub_is_built_stop_the_run_before_anything_is_made(
    form: Page, chromium: Browser, stack: Stack
) -> None:
    fill_in(form, "just-fits", PURPOSE, ACCOUNT, TOKEN)
    detail = send(form)
    allow_cores(stack, 1)
    approve(signed_in(chromium, stack, "admin"), stack, detail)

    form.goto(detail)
    failure = form.get_by_role("alert").filter(has_text="cores")
    expect(failure).to_contain_text(
        re.compile(r"needs \d+ cores; of “Total Regional vCPUs” only 1 are left in UK South"),
        timeout=30_000,  # it is said when it was found twice
    )
    expect(failure).to_contain_text("Choose fewer or smaller nodes or another region, or ask Azure for more quota.")
    expect(failure).to_contain_text("Please ask Azure for more of “Total Regional vCPUs” in UK South")
    expect(form.locator(".step.failed .step-title")).to_have_text("Check that nothing stands in the way")
    made = [row["path"] for row in control(stack, "journal", None, method="GET") if row["method"] == "PUT"]
    assert not any("slipway-just-fits" in path for path in made)

    allow_cores(stack, 400)
    form.get_by_role("button", name="Retry").click()
    expect(form.get_by_role("link", name="Open your Binder")).to_be_visible(timeout=PATIENCE)
    expect(form.get_by_text("Please ask Azure for more of")).to_have_count(0)
