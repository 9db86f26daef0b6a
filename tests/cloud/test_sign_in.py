"""A hub's sign-in, tried as far as GitHub's page."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloud.errors import InvalidRequest, PermanentError, RetryableError, SignInFailed
from cloud.profile import AzureCloud
from cloud.sign_in import App, try_sign_in
from tests.cloud.waiting import until
from tests.sandbox.hubs.hub import Body, Cluster, Hub, merged, packed
from tests.sandbox.hubs.test_sign_in import signed
from tests.sandbox_process import SandboxProcess

Asking = Callable[..., Hub]


@pytest.fixture(scope="module")
def plain(sandbox_process: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A hub to which nobody signs in until a test installs it anew."""
    home = tmp_path_factory.mktemp("hub")
    hub = Hub(Cluster(sandbox_process, "sign-in", home), packed(home), "asking")
    hub.install({})
    hub.wait()
    return hub


@pytest.fixture
def app(sandbox: SandboxProcess, plain: Hub) -> Iterator[App]:
    """An app of the test's own, with the hub's callback."""
    client_id, callback = f"Ov23li{uuid.uuid4().hex[:12]}", f"{plain.url}hub/oauth_callback"
    sandbox.control("github/apps", {"client_id": client_id, "client_secret": "s", "callback": callback})
    yield App(client_id, callback, frozenset({"read:org"}))


@pytest.fixture
def asking(plain: Hub, app: App) -> Asking:
    """`asking(client_id=…)` is the hub with a sign-in that has these settings."""

    def made(change: Body | None = None, **github: Any) -> Hub:
        settings = signed(plain.url, **{"client_id": app.client_id, "allow_all": True} | github)
        plain.install(merged(settings, change or {}))
        plain.wait()
        return plain

    return made


def try_as_a_step_does(profile: AzureCloud, url: str, app: App) -> None:
    """Again after what passes by itself: a changed hub may still put new pods in the place of old ones."""

    def tried() -> bool:
        try:
            try_sign_in(profile, url, app)
        except RetryableError:
            return False
        return True

    until(tried)


def test_a_stranger_gets_as_far_as_githubs_page(asking: Asking, profile: AzureCloud, app: App) -> None:
    try_as_a_step_does(profile, asking().url, app)


@pytest.mark.parametrize(
    ("github", "what"),
    [
        ({"client_id": "Ov23liSlipwayDemo001"}, "client ID"),
        ({"oauth_callback_url": "https://elsewhere.example.org/hub/oauth_callback"}, "callback address"),
        ({"scope": []}, "scope"),
    ],
)
def test_a_hub_that_presents_itself_otherwise_is_found(
    github: dict[str, Any], what: str, asking: Asking, profile: AzureCloud, app: App
) -> None:
    with pytest.raises(PermanentError, match=f"with another {what} than it was given"):
        try_as_a_step_does(profile, asking(**github).url, app)


def test_a_callback_that_github_does_not_have_is_found(
    asking: Asking, profile: AzureCloud, app: App, sandbox: SandboxProcess
) -> None:
    there = {"client_id": app.client_id, "client_secret": "s", "callback": "https://elsewhere.example.org/"}
    sandbox.control("github/apps", there)
    with pytest.raises(InvalidRequest, match="another callback address") as caught:
        try_as_a_step_does(profile, asking().url, app)
    assert app.callback in caught.value.remedy


def test_an_app_that_github_does_not_have_is_found(asking: Asking, profile: AzureCloud, app: App) -> None:
    unknown = App("Ov23liGone000000001", app.callback)
    with pytest.raises(SignInFailed, match="GitHub knows no app with the client ID Ov23liGone000000001"):
        try_as_a_step_does(profile, asking(client_id=unknown.client_id).url, unknown)


def test_a_hub_that_lets_strangers_in_is_found(plain: Hub, profile: AzureCloud, app: App) -> None:
    plain.install({})
    plain.wait()
    with pytest.raises(PermanentError, match="let a stranger in without a sign-in"):
        try_as_a_step_does(profile, plain.url, app)


def test_while_github_does_not_answer_it_is_tried_again(
    asking: Asking, profile: AzureCloud, app: App, sandbox: SandboxProcess
) -> None:
    hub = asking()
    sandbox.fault("/github/login/oauth/authorize", "unavailable")
    with pytest.raises(RetryableError):
        try_sign_in(profile, hub.url, app)
