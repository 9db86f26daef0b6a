"""A hub that people sign in to with GitHub."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.sandbox.hubs.hub import REPOSITORY, Body, Hub, merged

TOKEN = "e" * 64


def signed(hub_url: str, **github: Any) -> Body:
    settings = {
        "client_id": "Ov23liSlipwayDemo001",
        "client_secret": "github-demo-secret",
        "oauth_callback_url": f"{hub_url}hub/oauth_callback",
        "scope": ["read:org"],
    }
    hub = {
        "config": {
            "BinderSpawner": {"auth_enabled": True},
            "JupyterHub": {"redirect_to_server": False, "authenticator_class": "github"},
            "GitHubOAuthenticator": settings | github,
        },
        "services": {
            "binder": {
                "oauth_client_id": "service-binderhub",
                "oauth_no_confirm": True,
                "oauth_redirect_uri": f"{hub_url}services/binder/oauth_callback",
            },
            "slipway": {"apiToken": TOKEN},
        },
        "loadRoles": {
            "user": {"scopes": ["self", "access:services!service=binder"]},
            "slipway": {"services": ["slipway"], "scopes": ["admin:users", "tokens", "servers"]},
        },
    }
    return {"config": {"BinderHub": {"auth_enabled": True}}, "jupyterhub": {"cull": {"users": False}, "hub": hub}}


@pytest.fixture
def hub_with(install: Callable[..., Hub]) -> Callable[..., Hub]:
    """A hub whose GitHub settings are these, installed in a second pass because its address is known only then."""

    def made(change: Body | None = None, **github: Any) -> Hub:
        hub = install(wait="")
        hub.install(merged(signed(hub.url, **github), change or {}))
        hub.wait()
        return hub

    return made


def browser(hub: Hub) -> httpx.Client:
    return httpx.Client(follow_redirects=True, verify=hub.cluster.trust)


def sign_in(hub: Hub, client: httpx.Client, login: str) -> httpx.Response:
    """Opens the binder, presses the buttons, and returns the page one ends on."""
    page = client.get(hub.binder)
    there = re.search(r'href="([^"]*oauth_login[^"]*)"', page.text)
    assert there, page.text
    github = client.get(hub.url.rstrip("/") + there[1].replace("&amp;", "&"))
    form = re.findall(r'name="(client_id|redirect_uri|state|scope)" value="([^"]*)"', github.text)
    return client.post(f"{hub.cluster.sandbox.origin}/github/login/oauth/authorize", data=dict(form) | {"login": login})


def test_a_member_of_the_organisation_reaches_the_binder(hub_with: Callable[..., Hub]) -> None:
    hub = hub_with(allowed_organizations=["slipwayorg"])
    with browser(hub) as client:
        page = sign_in(hub, client, "octocat")
        assert (page.status_code, str(page.url)) == (200, hub.binder)
        assert client.get(f"{hub.url}hub/home").text.count("octocat")


def test_somebody_else_is_turned_away(hub_with: Callable[..., Hub]) -> None:
    hub = hub_with(allowed_organizations=["slipwayorg"])
    with browser(hub) as client:
        page = sign_in(hub, client, "hubot")
    assert page.status_code == 403
    assert "not currently authorized to use this hub" in page.text


def test_without_an_allow_setting_nobody_gets_in(hub_with: Callable[..., Hub]) -> None:
    hub = hub_with()
    with browser(hub) as client:
        assert sign_in(hub, client, "octocat").status_code == 403


def test_a_wrong_client_secret_fails_the_sign_in(hub_with: Callable[..., Hub]) -> None:
    hub = hub_with(allow_all=True, client_secret="wrong")
    with browser(hub) as client:
        page = sign_in(hub, client, "octocat")
    assert page.status_code == 500
    assert "client_secret passed are incorrect" in page.text


def test_without_the_role_a_signed_in_person_may_not_use_the_binder(hub_with: Callable[..., Hub]) -> None:
    hub = hub_with({"jupyterhub": {"hub": {"loadRoles": {"user": {"scopes": ["self"]}}}}}, allow_all=True)
    with browser(hub) as client:
        assert sign_in(hub, client, "octocat").status_code == 403


def test_strangers_may_not_build(hub_with: Callable[..., Hub]) -> None:
    assert hub_with(allow_all=True).launch()[0]["status_code"] == 403


def test_a_probes_token_builds_and_reaches_its_server(hub_with: Callable[..., Hub]) -> None:
    hub = hub_with(allow_all=True)
    ours = {"Authorization": f"token {TOKEN}"}
    httpx.post(f"{hub.url}hub/api/users/probe", headers=ours)
    token = httpx.post(f"{hub.url}hub/api/users/probe/tokens", headers=ours).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    ready = hub.launch(REPOSITORY, bearer)[-1]
    assert ready["url"] == f"{hub.url}user/probe/"
    assert httpx.get(f"{ready['url']}api").status_code == 403
    assert httpx.get(f"{ready['url']}api", headers=bearer).status_code == 200
    assert "already has a running server" in hub.launch(REPOSITORY, bearer)[-1]["message"]
