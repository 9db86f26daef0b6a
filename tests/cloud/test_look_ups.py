"""What is looked up while a form is filled in: any registry, Git repositories, tokens, a chart's own rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cloud.any_registry import Place, try_push
from cloud.chart_schema import chart_schemas
from cloud.errors import InvalidRequest, Unavailable
from cloud.profile import AzureCloud
from cloud.repositories import branches, github_token
from tests.sandbox_process import SandboxProcess

PEOPLE = {
    "university": ("robot-slipway", "registry-demo-token"),
    "departmental": ("slipway", "registry-demo-password"),
}


def address(sandbox: SandboxProcess, name: str) -> str:
    found: list[dict[str, Any]] = sandbox.control("registries")
    return next(str(each["address"]) for each in found if each["name"] == name)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_sign_in_that_may_push_passes_and_leaves_nothing(
    name: str, sandbox: SandboxProcess, profile: AzureCloud
) -> None:
    place = Place(address(sandbox, name), "research/binder-probe")
    assert try_push(profile, place, *PEOPLE[name]) == "ok"
    assert "binder-probe" not in str(sandbox.control(f"registries/{name}/images"))


@pytest.mark.parametrize("name", PEOPLE)
def test_a_wrong_password_and_a_wrong_project_are_told_apart(
    name: str, sandbox: SandboxProcess, profile: AzureCloud
) -> None:
    host, (user, password) = address(sandbox, name), PEOPLE[name]
    assert try_push(profile, Place(host, "research/probe"), user, "wrong") == "sign-in-refused"
    assert try_push(profile, Place(host, "elsewhere/probe"), user, password) == "push-refused"


@pytest.mark.parametrize("name", PEOPLE)
def test_who_may_only_read_may_not_push(name: str, sandbox: SandboxProcess, profile: AzureCloud) -> None:
    reader = {"username": "reader", "password": "reader-password", "projects": ["research"], "read_only": True}
    sandbox.control(f"registries/{name}/users", reader)
    place = Place(address(sandbox, name), "research/probe")
    assert try_push(profile, place, "reader", "reader-password") == "push-refused"


def test_a_password_is_sent_nowhere_in_the_clear(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    place = Place(address(sandbox, "university"), "research/probe", token_url="http://127.0.0.1:9/token")
    assert try_push(profile, place, *PEOPLE["university"]) == "sign-in-refused"


def test_a_certificate_of_nobody_we_know_is_said(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    stranger = replace(profile, ca_bundle=None, verify_challenge_resource=True, instance_discovery=True)
    place = Place(address(sandbox, "university"), "research/probe")
    assert try_push(stranger, place, *PEOPLE["university"]) == "bad-certificate"


def test_what_does_not_answer_is_unreachable(profile: AzureCloud) -> None:
    assert try_push(profile, Place("127.0.0.1:9", "a/b"), "a", "b") == "unreachable"


@pytest.mark.parametrize("path", ["/service/token", "/v2/research/probe/blobs/uploads"])
@pytest.mark.parametrize("status", [200, 404])
def test_a_page_from_something_in_between_is_no_word_of_the_registrys(
    sandbox: SandboxProcess, profile: AzureCloud, path: str, status: int
) -> None:
    page = {"status": status, "body": "<html>Accept our terms.</html>", "headers": {"content-type": "text/html"}}
    sandbox.fault(f"^{path}", "custom", **page)
    place = Place(address(sandbox, "university"), "research/probe")
    assert try_push(profile, place, *PEOPLE["university"]) == "unreachable"


def test_a_page_that_is_no_registry_is_not_one(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    place = Place(f"127.0.0.1:{sandbox.port}", "research/probe")
    assert try_push(profile, place, "a", "b") == "not-a-registry"


def test_branches_come_without_cloning(profile: AzureCloud) -> None:
    assert branches(profile, f"{profile.github}/binder-examples/requirements") == ("master",)


@pytest.mark.parametrize("path", ["/nobody/nothing", "/login/oauth/authorize"])
def test_a_repository_that_nobody_may_read_is_not_there(path: str, profile: AzureCloud) -> None:
    with pytest.raises(InvalidRequest, match="no public Git repository"):
        branches(profile, f"{profile.github}{path}")


def test_a_token_that_github_does_not_know_is_refused(profile: AzureCloud) -> None:
    assert github_token(profile, "ghp_nobody_has_this_one_at_all") == "refused"


def test_a_chart_brings_its_own_rules(profile: AzureCloud) -> None:
    binderhub, jupyterhub = chart_schemas(profile, profile.chart_version)
    assert "config" in binderhub["properties"] and "singleuser" in jupyterhub["properties"]


def test_a_version_that_is_not_there_brings_none(profile: AzureCloud) -> None:
    with pytest.raises(Unavailable):
        chart_schemas(profile, "0.0.0-nobody")
