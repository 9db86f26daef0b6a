"""What a description becomes in the chart's values; the chart's own schema takes every kind of hub."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft7Validator

from deployments.values import hub_values
from deployments.values.limits import pattern
from tests.unit.hubs import ADDRESS, NAMES, SECRETS, chart_schema, described

USER_POOL = {"user_node_size": "Standard_D8s_v5", "user_nodes_min": 0, "user_nodes_max": 5}
GITHUB = {"access": "github", "github_client_id": "Iv1.abc", "github_organisations": ("lab", "other-lab")}
OTHER = {"registry": "other", "registry_address": "registry.example.org", "registry_username": "robot"}
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "organisation": {"docker_organisation": "lab"},
    "acr": {"registry": "acr"},
    "other registry": OTHER,
    "other registry with a token address": OTHER | {"registry_token_url": "https://registry.example.org/token"},
    "github": GITHUB,
    "everyone at github": {"access": "github", "github_client_id": "Iv1.abc", "github_everyone": True},
    "storage": GITHUB | {"storage_gib": 10},
    "private repositories": GITHUB | {"private_repositories": True},
    "own domain": {"domain": "hub.example.org"},
    "user pool": USER_POOL,
    "look": {"title": "Our hub", "banner": "Until Friday", "template_repository": "https://github.com/lab/look"},
    "limits": {"user_memory_gib": 2, "user_cpus": 1, "idle_minutes": 30, "most_sessions": 20},
    "lists": {"allowed_repositories": ("lab/*",), "banned_repositories": ("lab/huge",)},
    "overlay": {"overlay": "config:\n  BinderHub:\n    about_message: hello\n"},
}


def values(address: str = ADDRESS, host: str = "", **changes: Any) -> dict[str, Any]:
    return hub_values(described(**changes), NAMES, address, SECRETS, host)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("address", [ADDRESS, "http://127.1.2.3:8480/"], ids=["https", "http"])
def test_the_chart_takes_every_kind_of_hub(kind: str, address: str) -> None:
    made, schema = values(address, "registry.example.org", **KINDS[kind]), chart_schema()
    for part, rules in ((made, schema.binderhub), (made["jupyterhub"], schema.jupyterhub)):
        wrong = [error for error in Draft7Validator(rules).iter_errors(part) if error.validator != "required"]
        assert [error.message for error in wrong] == []  # what is missing comes from the chart's own defaults


def test_everything_is_behind_one_address() -> None:
    made = values()
    assert made["config"]["BinderHub"]["hub_url"] == ADDRESS
    assert made["config"]["BinderHub"]["base_url"] == "/services/binder/"
    assert made["service"] == {"type": "ClusterIP"}
    label = made["jupyterhub"]["proxy"]["service"]["annotations"]
    assert label == {"service.beta.kubernetes.io/azure-dns-label-name": NAMES.dns_label}


def test_https_names_the_host_and_whom_to_write_to() -> None:
    https = values()["jupyterhub"]["proxy"]["https"]
    assert https["hosts"] == ["course-abcdef.uksouth.cloudapp.azure.com"]
    assert https["letsencrypt"] == {"contactEmail": "someone@example.org"}
    assert values()["config"]["BinderHub"]["hub_url_local"] == "http://proxy-http:8000/"


def test_plain_http_has_no_https_part_and_asks_the_proxy_itself() -> None:
    made = values("http://127.1.2.3:8480/")
    assert "https" not in made["jupyterhub"]["proxy"]
    assert made["config"]["BinderHub"]["hub_url_local"] == "http://proxy-public/"


def test_docker_hub_has_no_address_of_its_own_and_images_are_the_users_or_the_organisations() -> None:
    made = values()
    assert made["registry"] == {"username": "someone", "password": "docker-token"}
    assert made["config"]["BinderHub"]["image_prefix"] == "someone/course-"
    assert values(docker_organisation="lab")["config"]["BinderHub"]["image_prefix"] == "lab/course-"


def test_azures_registry_has_a_level_between_host_and_prefix_and_no_token_address() -> None:
    made = values(host="slipwaycourse.azurecr.io", registry="acr")
    assert made["registry"]["url"] == "https://slipwaycourse.azurecr.io"
    assert made["config"]["BinderHub"]["image_prefix"] == "slipwaycourse.azurecr.io/course/course-"
    assert "DockerRegistry" not in made["config"]


def test_another_registry_tells_where_its_tokens_come_from() -> None:
    made = values(host="registry.example.org", **OTHER, registry_token_url="https://registry.example.org/token")
    assert made["config"]["DockerRegistry"]["token_url"] == "https://registry.example.org/token"
    assert made["registry"]["username"] == "robot"


def test_a_prefix_ends_with_one_hyphen_however_it_was_typed() -> None:
    prefixes = {values(image_prefix=typed)["config"]["BinderHub"]["image_prefix"] for typed in ("a", "a-")}
    assert prefixes == {"someone/a-"}


def test_members_of_organisations_get_in_by_the_right_to_read_them() -> None:
    github = values(**GITHUB)["jupyterhub"]["hub"]["config"]["GitHubOAuthenticator"]
    assert github["allowed_organizations"] == ["lab", "other-lab"]
    assert github["scope"] == ["read:org"]
    assert "allow_all" not in github
    assert github["oauth_callback_url"] == f"{ADDRESS}hub/oauth_callback"


def test_everyone_at_github_needs_no_organisation() -> None:
    made = values(**KINDS["everyone at github"])
    assert made["jupyterhub"]["hub"]["config"]["GitHubOAuthenticator"]["allow_all"] is True


def test_where_people_sign_in_the_binder_asks_the_hub_and_users_may_use_it() -> None:
    made = values(**GITHUB)
    hub = made["jupyterhub"]["hub"]
    assert made["config"]["BinderHub"]["auth_enabled"] is True
    assert hub["services"]["binder"]["oauth_redirect_uri"] == f"{ADDRESS}services/binder/oauth_callback"
    assert "access:services!service=binder" in hub["loadRoles"]["user"]["scopes"]
    assert hub["services"]["binder"]["apiToken"] == "binder-token"


def test_a_folder_that_survives_is_for_people_who_sign_in() -> None:
    assert values(**KINDS["storage"])["jupyterhub"]["singleuser"]["storage"]["capacity"] == "10Gi"
    assert "storage" not in values(storage_gib=10)["jupyterhub"].get("singleuser", {})


def test_a_token_for_private_repositories_is_the_providers() -> None:
    assert values(**KINDS["private repositories"])["config"]["GitHubRepoProvider"] == {"access_token": "private-token"}


def test_with_nodes_of_their_own_sessions_and_builds_go_nowhere_else() -> None:
    made = values(**USER_POOL)
    assert made["config"]["BinderHub"]["build_node_selector"] == {"hub.jupyter.org/node-purpose": "user"}
    assert made["jupyterhub"]["scheduling"]["userPods"] == {"nodeAffinity": {"matchNodePurpose": "require"}}


def test_limits_are_given_in_the_charts_units() -> None:
    made = values(**KINDS["limits"])
    single = made["jupyterhub"]["singleuser"]
    assert single["memory"] == {"limit": "2G", "guarantee": "1G"}
    assert single["cpu"] == {"limit": 1, "guarantee": 0.25}
    assert made["jupyterhub"]["cull"]["timeout"] == 1800
    assert made["config"]["LaunchQuota"] == {"total_quota": 20}


@pytest.mark.parametrize(
    ("repository", "spec", "fits"),
    [
        ("lab/course", "lab/course/HEAD", True),
        ("lab/course", "lab/course-2/HEAD", False),
        ("lab/course", "elsewhere/lab/course", False),
        ("lab/*", "lab/anything/main", True),
        ("lab/*", "labour/anything/main", False),
        ("lab/course", "https%3A%2F%2Fgithub.com%2Flab%2Fcourse.git/HEAD", True),
        ("lab/co.rse", "lab/coXrse/HEAD", False),
    ],
)
def test_a_listed_repository_is_that_one_by_every_door(repository: str, spec: str, fits: bool) -> None:
    assert bool(re.match(pattern(repository), spec, re.IGNORECASE)) is fits


def test_a_title_cannot_end_the_script_that_sets_it() -> None:
    script = values(title="</script><b>")["config"]["BinderHub"]["extra_header_html"]["10-title"]
    assert script.count("</script>") == 1


def test_a_banner_is_text_and_not_markup() -> None:
    assert values(banner="<img src=x>")["config"]["BinderHub"]["banner_message"] == "&lt;img src=x&gt;"


def test_a_branch_that_looks_like_an_option_stays_a_branch() -> None:
    made = values(template_repository="https://github.com/lab/look", template_branch="main")
    assert made["initContainers"][0]["args"][-3:] == ["--", "https://github.com/lab/look", "/etc/binderhub/custom"]


def test_expert_values_lie_on_top_and_spare_what_stands_beside() -> None:
    made = values(**KINDS["overlay"])
    assert made["config"]["BinderHub"]["about_message"] == "hello"
    assert made["config"]["BinderHub"]["hub_url"] == ADDRESS
