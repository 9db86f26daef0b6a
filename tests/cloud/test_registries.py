"""Docker Hub and GitHub, asked over the wire before anything is spent."""

import pytest

from cloud.errors import InvalidRequest, PermissionDenied, SignInFailed, Throttled, Unavailable
from cloud.github import check_oauth_app, new_app_link
from cloud.profile import AzureCloud
from cloud.registries import check_docker_hub, granted
from sandbox.seeds import GITHUB_APPS
from tests.sandbox_process import SandboxProcess

USER, TOKEN = "slipwaydemo", "dckr_pat_demo"
CALLBACK = "https://demo-ab12cd.uksouth.cloudapp.azure.com/hub/oauth_callback"
APP = GITHUB_APPS[0]


def test_a_sign_in_that_may_push_passes_and_says_what_is_left(profile: AzureCloud) -> None:
    check = check_docker_hub(profile, USER, TOKEN, USER, "binder-")
    assert check.repository == "slipwaydemo/binder-probe"
    assert check.pulls_left is not None
    assert check.pulls_window_seconds == 21600


def test_the_proof_leaves_no_upload_behind(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    before = sandbox.control("journal")
    check_docker_hub(profile, USER, TOKEN, USER, "binder-")
    made = [(e["method"], e["status"]) for e in sandbox.control("journal")[len(before) :]]
    assert made == [("POST", 202), ("DELETE", 204)]


def test_a_member_may_push_to_the_organisation(profile: AzureCloud) -> None:
    assert check_docker_hub(profile, USER, TOKEN, "slipwayorg", "binder-").repository.startswith("slipwayorg/")


@pytest.mark.parametrize(("user", "token"), [(USER, "wrong"), ("nobody", TOKEN), ("someone@example.org", TOKEN)])
def test_a_wrong_sign_in_is_said_without_the_token(profile: AzureCloud, user: str, token: str) -> None:
    with pytest.raises(SignInFailed) as caught:
        check_docker_hub(profile, user, token, user.split("@")[0], "binder-")
    assert token not in str(caught.value)
    assert "e-mail" in caught.value.remedy


def test_a_stranger_to_the_organisation_is_told_whom_to_ask(profile: AzureCloud) -> None:
    with pytest.raises(PermissionDenied) as caught:
        check_docker_hub(profile, USER, TOKEN, "somebody-else", "binder-")
    assert "owner of the organisation" in caught.value.remedy


def test_a_token_that_may_only_read_is_told_apart(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    account = {"username": "reader", "token": "read-only-token", "read_only": True}
    sandbox.control("dockerhub/accounts", account)
    with pytest.raises(PermissionDenied, match="access token may not store images"):
        check_docker_hub(profile, "reader", "read-only-token", "reader", "binder-")


def test_a_name_no_registry_takes_is_said(profile: AzureCloud) -> None:
    with pytest.raises(InvalidRequest):
        check_docker_hub(profile, USER, TOKEN, USER, "--binder--..")


@pytest.mark.parametrize(
    ("kind", "error"), [("throttled", Throttled), ("unavailable", Unavailable), ("garbage", Unavailable)]
)
def test_docker_hub_on_a_bad_day_is_no_wrong_sign_in(
    sandbox: SandboxProcess, profile: AzureCloud, kind: str, error: type[Exception]
) -> None:
    sandbox.fault("/dockerhub-auth/", kind, count=5)
    with pytest.raises(error):
        check_docker_hub(profile, USER, TOKEN, USER, "binder-")


@pytest.mark.parametrize("path", ["/dockerhub-auth/token", "/dockerhub/v2/slipwaydemo/binder-probe/blobs/uploads"])
@pytest.mark.parametrize("status", [200, 404, 407])
def test_a_page_from_something_in_between_is_no_word_of_docker_hubs(
    sandbox: SandboxProcess, profile: AzureCloud, path: str, status: int
) -> None:
    page = {"status": status, "body": "<html>Accept our terms.</html>", "headers": {"content-type": "text/html"}}
    sandbox.fault(f"^{path}", "custom", **page)
    with pytest.raises(Unavailable):
        check_docker_hub(profile, USER, TOKEN, USER, "binder-")


@pytest.mark.parametrize("kind", ["nonsense", "garbage", "empty-success"])
def test_an_answer_without_sense_to_a_push_is_no_refusal(
    sandbox: SandboxProcess, profile: AzureCloud, kind: str
) -> None:
    sandbox.fault("^/dockerhub/v2/slipwaydemo/binder-probe/blobs/uploads", kind)
    with pytest.raises(Unavailable):
        check_docker_hub(profile, USER, TOKEN, USER, "binder-")


def test_limits_that_are_not_told_do_not_matter(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    sandbox.fault("ratelimitpreview", "unavailable", count=5)
    assert check_docker_hub(profile, USER, TOKEN, USER, "binder-").pulls_left is None


def test_a_token_that_is_no_token_grants_nothing() -> None:
    assert granted("nonsense", "a/b") == frozenset()


def test_a_right_oauth_app_passes(profile: AzureCloud) -> None:
    check_oauth_app(profile, APP["client_id"], APP["client_secret"], CALLBACK)


@pytest.mark.parametrize(("client", "secret"), [(APP["client_id"], "wrong"), ("Ov23liNobody", APP["client_secret"])])
def test_a_wrong_id_or_secret_is_said(profile: AzureCloud, client: str, secret: str) -> None:
    with pytest.raises(SignInFailed):
        check_oauth_app(profile, client, secret, CALLBACK)


def test_a_callback_that_does_not_fit_is_said_with_the_right_one(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    app = {"client_id": "Ov23liOther", "client_secret": "s", "callback": "https://elsewhere.example/hub/oauth_callback"}
    sandbox.control("github/apps", app)
    with pytest.raises(InvalidRequest) as caught:
        check_oauth_app(profile, "Ov23liOther", "s", CALLBACK)
    assert CALLBACK in caught.value.remedy


def test_github_on_a_bad_day_is_no_wrong_secret(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    sandbox.fault("/github/", "html", count=5)
    with pytest.raises(Unavailable):
        check_oauth_app(profile, APP["client_id"], APP["client_secret"], CALLBACK)


def test_the_link_for_a_new_app_is_filled_in(profile: AzureCloud) -> None:
    link = new_app_link(profile, "My hub", "https://hub.example/", CALLBACK)
    assert link.startswith(f"{profile.github}/settings/applications/new?oauth_application%5Bname%5D=My")
