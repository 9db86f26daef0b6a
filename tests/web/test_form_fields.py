"""Every field of a hub's description on the form: what it takes, what it becomes, and what is ignored."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from deployments.forms import RequestForm
from deployments.models import Deployment
from deployments.spec import HubSpec
from tests.web.test_form import filled, send, sentence

Browser = Callable[[str], Client]
pytestmark = pytest.mark.usefixtures("sandbox", "catalogue")

OTHER = {
    "registry": "other", "registry_address": "registry.example.org", "registry_username": "robot",
    "registry_token": "tok-123456",
}  # fmt: skip
GITHUB = {"github_client_id": "Ov23liSlipwayDemo001", "github_secret": "s-123456"}
POOL = {"pools": "two", "user_node_size": "Standard_D4s_v5", "user_nodes_min": "1", "user_nodes_max": "4"}


def form_of(people: dict[str, User], **changes: Any) -> RequestForm:
    return RequestForm(people["researcher"], filled(people["researcher"], **changes))


def spec_of(people: dict[str, User], **changes: Any) -> HubSpec:
    form = form_of(people, **changes)
    assert form.is_valid(), form.errors
    return form.spec()


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ({}, {"registry": "dockerhub", "access": "public", "tier": "Free", "user_node_size": "", "domain": ""}),
        ({"registry": "acr", "registry_project": "team"}, {"registry": "acr", "registry_project": "team"}),
        (OTHER, {"registry": "other", "registry_address": "registry.example.org", "registry_username": "robot"}),
        (
            OTHER | {"registry_token_url": "https://registry.example.org/token", "registry_project": "a/b"},
            {"registry_token_url": "https://registry.example.org/token", "registry_project": "a/b"},
        ),
        (
            GITHUB | {"access": "github", "github_organisations": "a-b, c\nd"},
            {"access": "github", "github_everyone": False, "github_organisations": ("a-b", "c", "d")},
        ),
        (GITHUB | {"access": "everyone"}, {"access": "github", "github_everyone": True, "github_organisations": ()}),
        ({"domain": " https://Hub.Example.org/ "}, {"domain": "hub.example.org"}),
        (POOL, {"user_node_size": "Standard_D4s_v5", "user_nodes_min": 1, "user_nodes_max": 4}),
        (POOL | {"user_nodes_min": ""}, {"user_nodes_min": 0}),
        ({"os_disk_gib": "64", "tier": "Standard"}, {"os_disk_gib": 64, "tier": "Standard"}),
        ({"title": "Statistics", "banner": "Ask <us>"}, {"title": "Statistics", "banner": "Ask <us>"}),
        (
            {"template_repository": "https://github.com/a/b", "template_branch": "main"},
            {"template_repository": "https://github.com/a/b", "template_branch": "main"},
        ),
        (
            {"user_memory_gib": "1.5", "user_cpus": "0.5", "idle_minutes": "30", "most_sessions": "40"},
            {"user_memory_gib": 1.5, "user_cpus": 0.5, "idle_minutes": 30, "most_sessions": 40},
        ),
        (
            {"allowed_repositories": "https://github.com/a/b.git\na/b, c", "banned_repositories": "d/*"},
            {"allowed_repositories": ("a/b", "c/*"), "banned_repositories": ("d/*",)},
        ),
        ({"overlay": "# ours\r\njupyterhub: {}\r\n"}, {"overlay": "# ours\njupyterhub: {}\n"}),
        ({"overlay": "  \r\n"}, {"overlay": ""}),
    ],
)  # fmt: skip
def test_what_is_typed_becomes_the_description(
    typed: dict[str, Any], made: dict[str, Any], people: dict[str, User]
) -> None:
    spec = spec_of(people, **typed)
    assert {name: getattr(spec, name) for name in made} == made


def test_private_repositories_and_a_folder_are_for_people_who_sign_in(people: dict[str, User]) -> None:
    typed = GITHUB | {"access": "everyone", "private_repositories": "on", "private_token": "t-123456", "storage_gib": 5}
    form = form_of(people, **typed)
    assert form.is_valid() and (form.spec().private_repositories, form.spec().storage_gib) == (True, 5)
    assert set(form.secrets()) == {"docker-token", "github-secret", "private-token"}


@pytest.mark.parametrize(
    ("typed", "purposes"),
    [
        ({}, {"docker-token": "dckr_pat_demo"}),
        ({"registry": "acr"}, {}),
        (OTHER, {"docker-token": "tok-123456"}),
        (GITHUB | {"access": "everyone"}, {"docker-token": "dckr_pat_demo", "github-secret": "s-123456"}),
    ],
)
def test_only_the_secrets_of_what_was_chosen_are_kept(
    typed: dict[str, Any], purposes: dict[str, str], people: dict[str, User]
) -> None:
    form = form_of(people, **typed)
    assert form.is_valid() and form.secrets() == purposes


def test_fields_of_a_choice_not_taken_are_ignored_even_when_they_are_wrong(people: dict[str, User]) -> None:
    spec = spec_of(
        people, registry="acr", docker_username="me@example.org", docker_organisation="No Such", docker_token="",
        registry_address="https://no", github_client_id="x y", github_organisations="https://github.com/a",
        user_node_size="Standard_X1", user_nodes_min="many", user_nodes_max="-4", private_token="x-123456",
    )  # fmt: skip
    assert (spec.docker_username, spec.registry_address, spec.github_client_id) == ("", "", "")
    assert (spec.user_node_size, spec.user_nodes_max, spec.private_repositories) == ("", 0, False)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"docker_username": ""}, "docker_username", "fill this in"),
        ({"docker_token": ""}, "docker_token", "fill this in"),
        (OTHER | {"registry_address": ""}, "registry_address", "fill this in"),
        (OTHER | {"registry_username": ""}, "registry_username", "fill this in"),
        (OTHER | {"registry_token": ""}, "registry_token", "fill this in"),
        (OTHER | {"registry_address": "https://registry.example.org"}, "registry_address", "host name alone"),
        (OTHER | {"registry_address": "registry.example.org/team"}, "registry_address", "host name alone"),
        (OTHER | {"registry_address": "index.docker.io"}, "registry_address", "This is Docker Hub"),
        (OTHER | {"registry_address": "registry"}, "registry_address", "no host name"),
        (OTHER | {"registry_project": "Team One"}, "registry_project", "small letters and digits"),
        (
            OTHER | {"registry_token_url": "http://registry.example.org/token"},
            "registry_token_url",
            "begins with https",
        ),
        ({"registry": "nexus"}, "registry", "choose one from the list"),
        ({"access": "everyone"}, "github_client_id", "client ID"),
        ({"private_repositories": "on"}, "private_token", "Make a token on GitHub"),
        ({"storage_gib": "0"}, "storage_gib", "Choose from 1 to 100."),
        ({"domain": "example"}, "domain", "like hub.example.org"),
        ({"domain": "hub.example.org/path"}, "domain", "like hub.example.org"),
        ({"pools": "two", "user_nodes_max": "3"}, "user_node_size", "Choose a size"),
        (POOL | {"user_nodes_max": ""}, "user_nodes_max", "how many nodes"),
        (POOL | {"user_nodes_min": "5"}, "user_nodes_min", "more than the most, 4"),
        (POOL | {"user_node_size": "Standard_X1"}, "user_node_size", "choose one from the list"),
        (POOL | {"user_nodes_max": "51"}, "user_nodes_max", "Choose from 1 to 50."),
        ({"os_disk_gib": "20"}, "os_disk_gib", "Choose from 30 to 2048."),
        ({"tier": "Gold"}, "tier", "choose one from the list"),
        ({"title": "x" * 101}, "title", "100 characters at most"),
        ({"template_repository": "git@github.com:a/b"}, "template_repository", "beginning with https://"),
        ({"template_repository": "https://me:pw@example.org/a"}, "template_repository", "without a password"),
        ({"template_branch": "-x"}, "template_branch", "No branch"),
        ({"template_branch": "a b"}, "template_branch", "No branch"),
        ({"user_memory_gib": "0.1"}, "user_memory_gib", "Choose from 0.25 to 256."),
        ({"user_memory_gib": "much"}, "user_memory_gib", "Write a number from 0.25 to 256."),
        ({"user_memory_gib": "17"}, "user_memory_gib", "a node has 16 GB memory"),
        ({"user_cpus": "5"}, "user_cpus", "a node has 4 CPUs"),
        ({"idle_minutes": "1"}, "idle_minutes", "Choose from 5 to 1440."),
        ({"most_sessions": "0"}, "most_sessions", "Choose from 1 to 1000."),
        ({"allowed_repositories": "https://gitlab.com/a/b"}, "allowed_repositories", "no repository on GitHub"),
        ({"banned_repositories": "a/b/c"}, "banned_repositories", "no repository on GitHub"),
    ],
)
def test_what_cannot_be_is_named_beside_its_field(
    changes: dict[str, Any], field: str, words: str, browser_of: Browser, people: dict[str, User]
) -> None:
    answer = send(browser_of, people, **changes)
    assert answer.status_code == 422 and words in sentence(answer, field), answer.context["form"].errors
    page = answer.content.decode()
    assert f'id="id_{field}_error"' in page and not Deployment.objects.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("jupyterhub:\n  proxy:\n    https: {}\n", "Line 3, column 5: jupyterhub.proxy.https is set by Slipway"),
        ("a: [1\n", "Line 2, column 1"),
        ("jupyterhub:\n\tx: 1\n", "Line 2, column 1: use spaces"),
        ("registry: 3\n", "Line 1, column 1: registry is set by Slipway"),
        ("just words", "names with a colon"),
        ("x" * 20_001, "20000 characters at most"),
    ],
)
def test_expert_values_are_refused_with_line_and_column(
    text: str, words: str, browser_of: Browser, people: dict[str, User]
) -> None:
    answer = send(browser_of, people, overlay=text)
    assert answer.status_code == 422 and words in sentence(answer, "overlay")
    assert 'id="section_expert" open' in answer.content.decode()


def test_expert_values_keep_their_comments(browser_of: Browser, people: dict[str, User]) -> None:
    text = "# why: a course needs more\njupyterhub:\n  singleuser:\n    extraEnv: {A: b}\n"
    assert spec_of(people, overlay=text).overlay == text
    assert text in send(browser_of, people, overlay=text, name="No").content.decode()


def test_the_plain_case_opens_only_what_it_needs(browser_of: Browser) -> None:
    page = " ".join(browser_of("researcher").get("/hubs/new/").content.decode().split())
    assert re.findall(r'id="section_(\w+)" open', page) == ["registry", "people"]
    assert len(re.findall(r'id="section_', page)) == 8


@pytest.mark.parametrize(
    ("typed", "section"),
    [({"domain": "x"}, "address"), (POOL, "nodes"), ({"title": "T"}, "look"), ({"most_sessions": "3"}, "limits"),
     ({"private_repositories": "on"}, "private")],
)  # fmt: skip
def test_a_section_in_which_something_is_typed_comes_back_open(
    typed: dict[str, Any], section: str, browser_of: Browser, people: dict[str, User]
) -> None:
    answer = send(browser_of, people, **typed, name="No Name")
    assert f'id="section_{section}" open' in " ".join(answer.content.decode().split())
    assert {"address", "nodes", "look", "limits", "private"} & answer.context["form"].open_sections == {section}


def test_a_refused_form_keeps_every_answer_but_the_secrets(browser_of: Browser, people: dict[str, User]) -> None:
    typed = OTHER | GITHUB | POOL | {
        "access": "github", "github_organisations": "a\nb", "private_repositories": "on", "private_token": "canary-1x",
        "registry_token": "canary-2x", "github_secret": "canary-3x", "docker_token": "canary-4x", "storage_gib": "4",
        "domain": "hub.example.org", "os_disk_gib": "64", "tier": "Standard", "title": "T", "banner": "B",
        "template_repository": "https://github.com/a/b", "template_branch": "main", "user_memory_gib": "2",
        "user_cpus": "1", "idle_minutes": "30", "most_sessions": "9", "allowed_repositories": "a/b",
        "banned_repositories": "c/*", "overlay": "# mine\n", "name": "No Name",
    }  # fmt: skip
    answer = send(browser_of, people, **typed)
    form, page = answer.context["form"], answer.content.decode()
    for name in set(typed) - {"private_token", "registry_token", "github_secret", "docker_token"}:
        assert str(form[name].value()) == ("True" if name == "private_repositories" else str(typed[name])), name
    assert "canary" not in page and page.count("did not keep what you typed here") == 4
