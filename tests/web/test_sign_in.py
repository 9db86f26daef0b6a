"""Signing in, and the pages for what goes wrong: calm words, no detail that helps a stranger."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory

from accounts.models import User
from deployments.views import errors

PASSWORD = "open sesame 7"


def sign_in(client: Client, username: str, password: str) -> Any:
    return client.post("/sign-in/", {"username": username, "password": password})


def test_the_right_password_leads_to_my_hubs(client: Client, people: dict[str, User]) -> None:
    answer = sign_in(client, "researcher", PASSWORD)
    assert answer.status_code == 302 and answer.headers["Location"] == "/"


@pytest.mark.parametrize("username", ["researcher", "nobody"])
def test_a_wrong_sign_in_does_not_tell_whether_the_name_exists(
    username: str, client: Client, people: dict[str, User]
) -> None:
    answer = sign_in(client, username, "wrong")
    assert b"do not fit together" in answer.content


def test_eight_wrong_tries_lock_the_name_for_a_while(client: Client, people: dict[str, User]) -> None:
    tries = [sign_in(client, "researcher", f"wrong {number}") for number in range(8)]
    assert [answer.status_code for answer in tries] == [200] * 7 + [429]
    locked = sign_in(client, "researcher", PASSWORD)
    assert locked.status_code == 429 and b"quarter of an hour" in locked.content
    assert sign_in(Client(), "stranger", PASSWORD).status_code == 302


def test_a_host_we_do_not_serve_gets_calm_words(client: Client) -> None:
    answer = client.get("/sign-in/", headers={"Host": "elsewhere.example.org"})
    assert answer.status_code == 400 and b"did not understand that" in answer.content and b"Reference" in answer.content


@pytest.mark.parametrize(("view", "status"), [(errors.forbidden, 403), (errors.bad_request, 400)])
def test_what_is_refused_says_what_to_do(view: Any, status: int, people: dict[str, User]) -> None:
    request = RequestFactory().get("/x")
    request.user = people["researcher"]
    answer = view(request)
    assert answer.status_code == status and b"Reference" in answer.content and b"To My hubs" in answer.content


def test_a_fault_of_ours_apologises_without_needing_anything(caplog: pytest.LogCaptureFixture) -> None:
    answer = errors.server_error(RequestFactory().get("/x"))
    reference = answer.content.decode().split("Reference <code>")[1][:10]
    assert answer.status_code == 500 and b"We are sorry" in answer.content and reference in caplog.text
