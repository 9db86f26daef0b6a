"""Each thing that can stand in the way: found from its fact alone, with its own sentence, at its own field."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments import preflight
from deployments.preflight import (
    CoresFact,
    Denial,
    DomainFact,
    Facts,
    NameFact,
    RegistryFact,
    SizeFact,
    TemplateFact,
    Unseen,
    findings,
)
from deployments.roles import BASE_ACTIONS, NEEDED_PROVIDERS, ROLES
from tests.unit.hubs import NAMES, TODAY, described

GITHUB = {"access": "github", "github_client_id": "Iv1.abc", "github_organisations": ("lab",)}
OTHER = {"registry": "other", "registry_address": "registry.example.org", "registry_username": "robot"}
LOOK = {"template_repository": "https://github.com/lab/look", "template_branch": "main"}
POOL = {"user_node_size": "Standard_D8s_v5", "user_nodes_min": 0, "user_nodes_max": 2}
SIZES = {
    "Standard_D4s_v5": SizeFact("standardDSv5Family", 4, False, 16),
    "Standard_D2s_v5": SizeFact("standardDSv5Family", 2, False, 8),
    "Standard_B4ms": SizeFact("standardBSFamily", 4, False, 16),
    "Standard_D8s_v5": SizeFact("standardDSv5Family", 8, True, 32),
}
PLENTY = {key: CoresFact(key, 0, 100) for key in ("cores", "standarddsv5family", "standardbsfamily")}


def cores(total: int, family: int) -> dict[str, CoresFact]:
    return {
        "cores": CoresFact("Total Regional vCPUs", 0, total),
        "standarddsv5family": CoresFact("Standard DSv5 Family vCPUs", 0, family),
    }


@dataclass
class Case:
    """One fact, the hub it matters to, and what must be said."""

    code: str
    facts: dict[str, Any] = field(default_factory=dict)
    hub: dict[str, Any] = field(default_factory=dict)
    severity: str = "error"
    at: str = ""


def registry(state: Any, **more: Any) -> dict[str, Any]:
    return {"registry": RegistryFact(state, **more)}


CASES = [
    Case("subscription-unseen", {"subscription_seen": False}, at="subscription_id"),
    Case("subscription-disabled", {"subscription_state": "Disabled"}, at="subscription_id"),
    Case("rights-missing", {"allows": lambda action: "managedClusters" not in action}, at="subscription_id"),
    Case("provider-not-registered", {"providers": {}, "allows": lambda action: action in BASE_ACTIONS}),
    Case("provider-registers", {"providers": {}, "allows": lambda action: True}, severity="warning"),
    Case("policy-denies", {"denials": (Denial("Only Europe"),)}, at="region"),
    Case("policy-denies-size", {"denials": (Denial("Small", sizes=("Standard_D8s_v5",)),)}, POOL, at="user_node_size"),
    Case("vault-refused", {"vault": "refused"}),
    Case("vault-deleted", {"vault": "deleted"}),
    Case("secret-missing", {"vault": "missing"}),
    Case("not-looked", {"unseen": (Unseen("policies", "Microsoft.PolicyInsights/read"),)}, severity="warning"),
    Case("size-not-offered", {"sizes": {}}, at="node_size"),
    Case("size-too-small", {"sizes": {"Standard_D4s_v5": SizeFact("f", 1, False, 4)}}, at="node_size"),
    Case("size-restricted", {"sizes": SIZES, "quotas": PLENTY}, POOL, at="user_node_size"),
    Case("size-burstable", {"sizes": SIZES}, {"node_size": "Standard_B4ms"}, "warning", "node_size"),
    Case("size-small", {"sizes": SIZES, "quotas": PLENTY}, {"node_size": "Standard_D2s_v5"}, "warning", "node_size"),
    Case("quota", {"sizes": SIZES, "quotas": cores(4, 100)}, at="node_count"),
    Case("quota-family", {"sizes": SIZES, "quotas": cores(100, 4)}, at="node_count"),
    Case("quota-surge", {"sizes": SIZES, "quotas": cores(8, 100)}, severity="warning", at="node_count"),
    Case("addresses", {"addresses": CoresFact("Public IP Addresses", 9, 10)}, at="region"),
    Case("version-long-term", {"versions": ("1.35.1",), "long_term": ("1.34.3",)}, at="kubernetes_version"),
    Case("version-preview", {"versions": ("1.33.1",), "previews": ("1.34.3",)}, at="kubernetes_version"),
    Case("version-not-offered", {"versions": ("1.33.1",)}, at="kubernetes_version"),
    Case("tier-free", {}, {"node_count": 10}, "warning", "tier"),
    Case("name-refused", {}, {"name": "kube-system"}, at="name"),
    Case("name-derived", {}, {"region": "r" * 60}, at="name"),
    Case("group-taken", {"taken_group_owner": "somebody else"}, at="name"),
    Case("dns-label-taken", {"dns_label": NameFact(False, "In use.")}, at="name"),
    Case("registry-name-taken", {"registry_name": NameFact(False, "In use.")}, {"registry": "acr"}, at="name"),
    Case("registry-incomplete", {}, {"docker_username": ""}, at="docker_username"),
    Case("registry-sign-in", registry("sign-in-refused"), at="docker_token"),
    Case("registry-no-push", registry("push-refused"), OTHER, at="registry_token"),
    Case("registry-not-a-member", registry("push-refused"), {"docker_organisation": "lab"}, at="docker_organisation"),
    Case("registry-not-one", registry("not-a-registry"), OTHER, at="registry_address"),
    Case("registry-certificate", registry("bad-certificate"), OTHER, at="registry_address"),
    Case("registry-unreachable", registry("unreachable"), OTHER, "warning", "registry_address"),
    Case("pull-limit", registry("ok", pulls_left=3, pulls_limit=100), severity="warning", at="registry"),
    Case("public-hub", severity="warning", at="access"),
    Case("private-and-public", {}, {"private_repositories": True}, at="private_token"),
    Case("storage-needs-sign-in", {}, {"storage_gib": 5}, at="storage_gib"),
    Case("nobody-gets-in", {}, GITHUB | {"github_organisations": ()}, at="github_organisations"),
    Case("github-organisation-unknown", {"unknown_organisations": ("lab",)}, GITHUB, at="github_organisations"),
    Case("github-client-unknown", {"github_app": "unknown-client"}, GITHUB, at="github_client_id"),
    Case("github-secret-wrong", {"github_app": "wrong-secret"}, GITHUB, at="github_secret"),
    Case("github-callback", {"github_app": "other-callback"}, GITHUB, at="github_client_id"),
    Case("github-unreachable", {"github_app": "unreachable"}, GITHUB, "warning", "github_client_id"),
    Case("private-token-refused", {"private_token": "expired"}, GITHUB | {"private_repositories": True}),
    Case("private-repositories", {}, GITHUB | {"private_repositories": True}, "warning", "private_token"),
    Case("domain-missing", {"domain": DomainFact("missing", "x")}, {"domain": "h.example.org"}, "warning", "domain"),
    Case("domain-elsewhere", {"domain": DomainFact("elsewhere", "x", "y")}, {"domain": "h.example.org"}, "warning"),
    Case("template-missing", {"template": TemplateFact("missing")}, LOOK, at="template_repository"),
    Case("template-unreachable", {"template": TemplateFact("unreachable")}, LOOK, "warning"),
    Case("template-branch", {"template": TemplateFact("ok", ("dev",))}, LOOK, at="template_branch"),
    Case("overlay", {"overlay": ("Line 1, column 1: no.",)}, at="overlay"),
    Case("pool-range", {}, POOL | {"user_nodes_min": 3}, at="user_nodes_min"),
    Case("pool-empty", {}, POOL | {"user_nodes_max": 0}, at="user_nodes_max"),
    Case("chart-version", {"chart_found": False}, at="chart_version"),
    Case("stay-past", {"today": date(2026, 12, 1)}, at="keep_until"),
    Case("stay-too-long", {"today": TODAY, "longest_days": 3}, at="keep_until"),
]


#: What somebody else must mend comes with a text to send to them.
LETTERS = (
    "subscription-unseen", "rights-missing", "provider-not-registered", "policy-denies", "policy-denies-size",
    "vault-refused", "not-looked", "quota", "quota-family", "addresses",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_fact_is_found_with_its_sentence(case: Case) -> None:
    found = {finding.code: finding for finding in findings(Facts(**case.facts), described(**case.hub), NAMES)}
    assert case.code in found
    finding = found[case.code]
    assert finding.severity == case.severity
    assert case.at in ("", finding.field)
    assert finding.what.endswith((".", ")."))
    assert finding.remedy


@pytest.mark.parametrize("case", [case for case in CASES if case.facts], ids=lambda case: case.code)
def test_what_nobody_has_looked_at_is_not_said(case: Case) -> None:
    assert case.code not in {finding.code for finding in findings(Facts(), described(**case.hub), NAMES)}


def test_every_finding_there_is_has_its_case() -> None:
    source = "".join(path.read_text() for path in Path(preflight.__file__).parent.glob("*.py"))
    codes = set(re.findall(r"(?:error|warning)\(\s*\"([a-z-]+)\"", source))
    codes |= {"quota", "quota-family", "domain-missing", "domain-elsewhere"}
    assert codes == {case.code for case in CASES}


def test_sentences_are_each_their_own() -> None:
    said = {}
    for case in CASES:
        for finding in findings(Facts(**case.facts), described(**case.hub), NAMES):
            said.setdefault(finding.what, set()).add(finding.code)
    assert all(len(codes) == 1 for codes in said.values())


def test_missing_rights_come_with_a_letter_to_whoever_can_give_them() -> None:
    facts = Facts(allows=lambda action: False, identity="slipway-worker", subscription_name="Research")
    finding = next(each for each in findings(facts, described(), NAMES) if each.code == "rights-missing")
    for words in ("slipway-worker", "“Slipway worker”", "Research", "managedClusters/write"):
        assert words in finding.letter


def test_a_letter_asks_for_the_least_role_by_its_own_name_and_says_all_that_it_holds() -> None:
    facts = Facts(allows=lambda action: False, vault_name="hub-secrets")
    finding = next(each for each in findings(facts, described(), NAMES) if each.code == "rights-missing")
    assert finding.remedy.endswith("Slipway needs the role “Slipway worker (hub-secrets)” there.")
    held = set(re.findall(r"^([\w*.]+/[\w*./]+): ", finding.letter, re.MULTILINE))
    assert held == set(ROLES["worker"].actions)
    assert "Contributor" not in finding.letter and "Owner" not in finding.letter


def test_a_letter_about_giving_roles_brings_the_condition_that_binds_it() -> None:
    facts = Facts(allows=lambda action: not action.startswith("Microsoft.Authorization/"), object_id="0bj3ct")
    finding = next(each for each in findings(facts, described(registry="acr"), NAMES) if each.code == "rights-missing")
    command = next(line for line in finding.letter.splitlines() if line.startswith("az role assignment create"))
    assert "“Slipway registry access”" in finding.remedy and "worker”" not in finding.remedy
    words = shlex.split(command)
    assert words[words.index("--condition") + 1] == ROLES["registry access"].condition


@pytest.mark.parametrize("case", [case for case in CASES if case.code in LETTERS], ids=lambda case: case.code)
def test_a_letter_says_whom_it_is_about_and_asks_for_something(case: Case) -> None:
    facts = Facts(**case.facts | {"subscription_name": "Research", "vault_name": "hub-secrets"})
    found = findings(facts, described(**case.hub), NAMES)
    letter = next(finding.letter for finding in found if finding.code == case.code)
    assert "Research" in letter or "hub-secrets" in letter
    assert "Please" in letter or "Could you" in letter


def test_a_letter_about_a_role_brings_the_command_that_gives_it() -> None:
    facts = Facts(allows=lambda action: False, object_id="0bj3ct")
    letter = next(each for each in findings(facts, described(), NAMES) if each.code == "rights-missing").letter
    assert "--assignee-object-id 0bj3ct" in letter and f"--scope /subscriptions/{described().subscription_id}" in letter


def test_only_what_is_missing_is_said_to_be() -> None:
    facts = Facts(allows=lambda action: not action.endswith("agentPools/delete"))
    told = next(each for each in findings(facts, described(), NAMES) if each.code == "rights-missing")
    assert "remove a cluster's machines" in told.what and "resource group" not in told.what


def test_a_policy_is_said_once_for_all_that_it_refuses() -> None:
    facts = Facts(denials=(Denial("Only Europe", "a cluster"), Denial("Only Europe", "a public address")))
    told = [each for each in findings(facts, described(), NAMES) if each.code == "policy-denies"]
    assert len(told) == 1 and "a cluster or a public address" in told[0].what


def test_a_policy_about_other_regions_or_sizes_is_not_said() -> None:
    denials = (Denial("Only Europe", regions=("eastus",)), Denial("Small", sizes=("Standard_D64s_v5",)))
    assert not [each for each in findings(Facts(denials=denials), described(), NAMES) if "policy" in each.code]


def test_a_small_good_hub_has_nothing_in_its_way() -> None:
    facts = Facts(
        subscription_state="Enabled",
        allows=lambda action: True,
        providers={name: "Registered" for name in NEEDED_PROVIDERS},
        sizes=SIZES,
        quotas=PLENTY,
        versions=("1.34.3",),
        registry=RegistryFact("ok", pulls_left=190, pulls_limit=200),
        github_app="ok",
        dns_label=NameFact(True),
        chart_found=True,
        today=TODAY,
        longest_days=90,
    )
    assert findings(facts, described(**GITHUB), NAMES) == []


def test_a_hub_that_stands_is_not_counted_against_its_own_quota() -> None:
    facts = Facts(sizes=SIZES, quotas=cores(0, 0), own_cluster_exists=True)
    assert "quota" not in {finding.code for finding in findings(facts, described(), NAMES)}


def test_of_a_hub_that_stands_only_what_is_added_must_fit() -> None:
    grown = described(node_count=4)  # 16 cores, 8 of them in use already
    own = {"cores": 8, "standarddsv5family": 8}
    tight = Facts(sizes=SIZES, quotas=cores(4, 100), own_cluster_exists=True, own_cores=own)
    told = next(each for each in findings(tight, grown, NAMES) if each.code == "quota")
    assert "needs 8 more cores" in told.what
    roomy = Facts(sizes=SIZES, quotas=cores(8, 100), own_cluster_exists=True, own_cores=own)
    assert "quota" not in {each.code for each in findings(roomy, grown, NAMES)}


@pytest.mark.parametrize(("wanted", "said"), [("1.34.3", False), ("1.34.2", False), ("1.35.1", True)])
def test_what_a_hub_runs_already_need_not_be_offered_any_more(wanted: str, said: bool) -> None:
    facts = Facts(versions=("1.36.1",), own_cluster_exists=True, own_version="1.34.3")
    codes = {each.code for each in findings(facts, described(kubernetes_version=wanted), NAMES)}
    assert ("version-not-offered" in codes) is said


def test_the_day_counts_are_those_of_the_policy() -> None:
    facts = Facts(today=TODAY, longest_days=8)
    last = described(keep_until=TODAY + timedelta(days=8))
    assert "stay-too-long" not in {finding.code for finding in findings(facts, last, NAMES)}
