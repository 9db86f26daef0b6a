"""What somebody may not see does not exist for them; what changes something takes POST with a token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from deployments.models import Deployment, Operation
from deployments.states import Lifecycle

Browser = Callable[[str], Client]
HUB_PAGES = ["detail", "progress", "values", "runs", "revisions", "take-down", "receipt"]
OPERATION_POSTS = ["cancel", "retry"]


@pytest.mark.parametrize("page", HUB_PAGES)
def test_a_strangers_hub_is_not_found(page: str, browser_of: Browser, make_hub: Callable[..., Deployment]) -> None:
    url = reverse(f"deployments:{page}", args=[make_hub().id])
    assert browser_of("stranger").get(url).status_code == 404
    assert browser_of("researcher").get(url).status_code == 200
    assert browser_of("reviewer").get(url).status_code == 200


@pytest.mark.parametrize("page", ["log", "whole-log", "stream"])
def test_a_strangers_operation_is_not_found(
    page: str,
    browser_of: Browser,
    make_hub: Callable[..., Deployment],
    make_operation: Callable[..., Operation],
) -> None:
    url = reverse(f"deployments:{page}", args=[make_operation(make_hub()).id])
    assert browser_of("stranger").get(url).status_code == 404


@pytest.mark.parametrize("action", OPERATION_POSTS)
def test_a_stranger_changes_no_operation(
    action: str,
    browser_of: Browser,
    make_hub: Callable[..., Deployment],
    make_operation: Callable[..., Operation],
) -> None:
    url = reverse(f"deployments:{action}", args=[make_operation(make_hub()).id])
    assert browser_of("stranger").post(url).status_code == 404
    assert browser_of("researcher").get(url).status_code == 405
    assert browser_of("researcher").post(url).status_code == 302


@pytest.mark.parametrize("page", ["review", "everybodys"])
def test_pages_for_reviewers_do_not_exist_for_others(page: str, browser_of: Browser) -> None:
    assert browser_of("researcher").get(reverse(f"deployments:{page}")).status_code == 404
    assert browser_of("reviewer").get(reverse(f"deployments:{page}")).status_code == 200


def test_nobody_approves_their_own_request_without_the_right(
    browser_of: Browser, make_hub: Callable[..., Deployment]
) -> None:
    hub = make_hub()
    assert browser_of("researcher").post(reverse("deployments:approve", args=[hub.id, 1])).status_code == 404
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.REQUESTED


def test_every_page_asks_who_is_there(client: Client, db: None) -> None:
    answer = client.get(reverse("deployments:mine"))
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in/")


def test_a_change_without_a_token_is_refused(people: dict[str, User], make_hub: Callable[..., Deployment]) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(people["researcher"], backend="django.contrib.auth.backends.ModelBackend")
    answer = careful.post(reverse("deployments:take-down", args=[make_hub().id]), {"confirm": "my-course"})
    assert answer.status_code == 403 and b"Please send that once more" in answer.content


def test_lists_show_only_what_one_may_see(browser_of: Browser, make_hub: Callable[..., Deployment]) -> None:
    make_hub("hers", "researcher"), make_hub("his", "stranger")
    mine = browser_of("researcher").get("/").content.decode()
    assert ">hers<" in mine and ">his<" not in mine
    everybodys = browser_of("reviewer").get("/hubs/").content.decode()
    assert ">hers<" in everybodys and ">his<" in everybodys


def test_a_missing_page_has_calm_words_and_a_reference(browser_of: Browser) -> None:
    answer = browser_of("researcher").get("/nowhere/")
    assert answer.status_code == 404 and b"There is nothing here" in answer.content and b"Reference" in answer.content
