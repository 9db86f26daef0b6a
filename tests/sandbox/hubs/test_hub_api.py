"""JupyterHub's REST API: tokens and scopes as installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.sandbox.hubs.hub import Hub

TOKEN = "c" * 64
SCOPES = ["admin:users", "tokens", "servers", "read:hub", "list:users"]


@pytest.fixture
def hub(install: Callable[..., Hub]) -> Hub:
    """A hub with a service of our own that may do much."""
    ours = {"services": {"slipway": {"apiToken": TOKEN}, "idle": {"apiToken": "d" * 64}}}
    roles = {"loadRoles": {"slipway": {"services": ["slipway"], "scopes": SCOPES}}}
    return install({"jupyterhub": {"hub": ours | roles}})


def ask(hub: Hub, method: str, path: str, token: str = TOKEN, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"token {token}"} if token else {}
    return httpx.request(method, f"{hub.url}hub/api{path}", headers=headers, **more)


def test_the_version_and_health_are_for_everybody(hub: Hub) -> None:
    assert ask(hub, "GET", "", token="").json() == {"version": "5.3.0"}
    assert ask(hub, "GET", "/health", token="").status_code == 200


def test_everything_else_needs_a_token(hub: Hub) -> None:
    answer = ask(hub, "GET", "/users", token="")
    assert (answer.status_code, answer.json()["message"]) == (403, "Missing or invalid credentials.")
    assert ask(hub, "GET", "/info", token="wrong").status_code == 403


def test_a_service_without_a_role_may_nothing(hub: Hub) -> None:
    answer = ask(hub, "POST", "/users/ada", token="d" * 64)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Action is not authorized with current scopes; requires any of [admin:users]"


def test_users_are_made_listed_and_removed(hub: Hub) -> None:
    assert ask(hub, "POST", "/users/ada").status_code == 201
    assert ask(hub, "POST", "/users/ada").status_code == 409
    assert [user["name"] for user in ask(hub, "GET", "/users").json()] == ["ada"]
    assert ask(hub, "DELETE", "/users/ada").status_code == 204
    assert ask(hub, "GET", "/users/ada").status_code == 404


def test_a_users_token_is_good_until_it_is_revoked(hub: Hub) -> None:
    ask(hub, "POST", "/users/ada")
    made = ask(hub, "POST", "/users/ada/tokens", json={"note": "probe", "expires_in": 600}).json()
    assert ask(hub, "GET", "/user", token=made["token"]).json()["name"] == "ada"
    assert ask(hub, "DELETE", f"/users/ada/tokens/{made['id']}").status_code == 204
    assert ask(hub, "GET", "/user", token=made["token"]).status_code == 403


def test_a_token_does_no_more_than_its_owner(hub: Hub) -> None:
    ask(hub, "POST", "/users/ada")
    ask(hub, "POST", "/users/grace")
    assert ask(hub, "POST", "/users/ada/tokens", json={"scopes": ["admin:users"]}).status_code == 400
    token = ask(hub, "POST", "/users/ada/tokens").json()["token"]
    assert ask(hub, "GET", "/users/grace", token=token).status_code == 404
    assert ask(hub, "GET", "/users/ada", token=token).status_code == 200


def test_servers_are_started_and_stopped(hub: Hub) -> None:
    ask(hub, "POST", "/users/ada")
    wish = {"image": "docker.io/library/some:1", "token": "secret"}
    assert ask(hub, "POST", "/users/ada/server").json()["message"] == "token required"
    assert ask(hub, "POST", "/users/ada/server", json=wish).status_code == 202
    with httpx.stream(
        "GET", f"{hub.url}hub/api/users/ada/server/progress", headers={"Authorization": f"token {TOKEN}"}
    ) as told:
        assert '"ready": true' in list(told.iter_lines())[-2]
    assert ask(hub, "GET", "/users/ada").json()["server"] == "/user/ada/"
    assert hub.pods("jupyter-ada")
    assert ask(hub, "DELETE", "/users/ada/server").status_code == 204
    assert not hub.pods("jupyter-ada")


def test_a_server_too_large_for_any_node_fails_after_the_start_timeout(install: Callable[..., Hub]) -> None:
    ours = {
        "services": {"slipway": {"apiToken": TOKEN}},
        "loadRoles": {"slipway": {"services": ["slipway"], "scopes": SCOPES}},
    }
    hub = install({"jupyterhub": {"hub": ours, "singleuser": {"memory": {"guarantee": "100G"}}}})
    ask(hub, "POST", "/users/ada")
    ask(hub, "POST", "/users/ada/server", json={"image": "docker.io/library/some:1", "token": "secret"})
    told = ask(hub, "GET", "/users/ada/server/progress", timeout=20).text
    assert "Insufficient memory" in told
    assert "did not start in 300 seconds!" in told
    assert not hub.pods("jupyter-ada")


def test_users_go_with_the_release(hub: Hub) -> None:
    ask(hub, "POST", "/users/ada")
    hub.uninstall()
    hub.wait("hub/health", 0)
    ours = {
        "services": {"slipway": {"apiToken": TOKEN}},
        "loadRoles": {"s": {"services": ["slipway"], "scopes": SCOPES}},
    }
    hub.install({"jupyterhub": {"hub": ours}})
    hub.wait()
    assert ask(hub, "GET", "/users").json() == []
