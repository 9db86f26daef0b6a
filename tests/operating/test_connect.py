"""`manage.py connect_azure`: readable without signing in, idempotent when applied, and the least that is enough."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError

from bootstrap.machine import ROOT
from cloud.errors import SlipwayError
from deployments.preflight import needed_actions, needed_providers
from deployments.roles import GIVER, ROLES, WEB_SECRETS, WORKER_SECRETS, worker_rights
from sandbox.azure import table
from tests.operating.tenant import Tenant, prepared
from tests.sandbox_process import SandboxProcess
from tests.web.conftest import hub_spec
from worker.connect import planning
from worker.connect.parts import Wanted

SOMEBODY = "5117a000-0000-4000-8000-00000000ab01"


@pytest.fixture(scope="module")
def tenant(cloud: SandboxProcess) -> Iterator[Tenant]:
    """Prepared once by --apply."""
    yield prepared(cloud)


@pytest.fixture
def fresh(cloud: SandboxProcess) -> Tenant:
    return Tenant(cloud)


def writes(tenant: Tenant) -> int:
    """What was changed in Azure so far; a sign-in changes nothing."""
    return sum(row["area"] == "subscriptions" for row in tenant.cloud.control("journal"))


def test_without_more_words_nothing_is_asked_and_nothing_changed(fresh: Tenant) -> None:
    before = len(fresh.cloud.control("journal"))
    told = fresh.connect(client_id="00000000-0000-4000-8000-000000000000")
    assert "Nothing was asked, nothing changed" in told
    assert len(fresh.cloud.control("journal")) == before


def test_what_is_told_has_every_right_with_its_reason(fresh: Tenant) -> None:
    told = fresh.connect()
    for rights in (worker_rights(), GIVER, WEB_SECRETS, WORKER_SECRETS):
        for action, why in rights.items():
            assert re.search(rf"{re.escape(action)} +{re.escape(why)}", told)
    assert f"AZURE_KEY_VAULT_URL=https://{fresh.vault}" in told


def test_every_command_that_is_told_can_be_read_by_a_shell(fresh: Tenant) -> None:
    commands = [line.strip() for line in fresh.connect().splitlines() if line.startswith("  az ")]
    words = [shlex.split(command) for command in commands]
    kinds = {" ".join(each[1:3]) for each in words}
    assert kinds == {"provider register", "group create", "keyvault create", "role definition", "role assignment"}
    assert all(option.startswith("--") for each in words for option in each[3 if each[1] != "role" else 4 :: 2])


def test_a_script_and_its_files_can_be_sent_to_somebody_else(fresh: Tenant, tmp_path: Path) -> None:
    fresh.connect(f"--write={tmp_path}")
    script = (tmp_path / "connect.sh").read_text()
    files = {path.name for path in tmp_path.iterdir()} - {"connect.sh"}
    assert files == {f"slipway-{key.replace(' ', '-')}.json" for key in ROLES} | {"only-acr-pull.txt"}
    assert all(name in script for name in files)
    role = json.loads((tmp_path / "slipway-worker.json").read_text())
    assert role["IsCustom"] and set(role["Actions"]) == set(worker_rights())
    assert role["AssignableScopes"] == [f"/subscriptions/{fresh.subscription}"]
    assert (tmp_path / "connect.sh").stat().st_mode & 0o100


def test_checking_an_unprepared_subscription_fails_and_says_what_is_missing(fresh: Tenant) -> None:
    with pytest.raises(CommandError, match=r"\d+ of \d+ are not as they should be"):
        fresh.connect("--check")


def test_what_was_applied_is_as_it_should_be(tenant: Tenant) -> None:
    assert "All is as it should be." in tenant.connect("--check")


def test_applying_twice_changes_nothing(tenant: Tenant) -> None:
    before = writes(tenant)
    told = tenant.connect("--apply")
    assert writes(tenant) == before
    lines = [line for line in told.splitlines() if line.startswith("  ") and "=" not in line]
    assert len(lines) > 15 and all(line.startswith("  there already") for line in lines)


def test_a_role_that_somebody_changed_is_put_right(cloud: SandboxProcess) -> None:
    tenant = Tenant(cloud)
    tenant.connect("--apply")
    another = tenant.new_subscription()
    tenant.own(another)
    both = (tenant.subscription, another)
    with pytest.raises(CommandError, match="are not as they should be"):
        tenant.connect("--check", subscriptions=both)
    told = tenant.connect("--apply", subscriptions=both)
    assert re.search(r"changed +Role “Slipway worker", told)
    assert "All is as it should be." in tenant.connect("--check", subscriptions=both)


def test_a_vaults_name_that_is_taken_is_said(fresh: Tenant) -> None:
    fresh.vault = "slipway-portal"  # the sandbox's own, in another subscription
    with pytest.raises(CommandError, match="already in use"):
        fresh.connect("--apply")


def test_who_may_not_make_roles_is_told_so(fresh: Tenant) -> None:
    contributor = {"actions": ["*"], "not_actions": ["Microsoft.Authorization/*/write"]}
    body = {"client_id": fresh.owner, "subscription": fresh.subscription, **contributor}
    fresh.cloud.control("azure/rights", body)
    with pytest.raises(CommandError, match=r"We could not make the role Slipway worker"):
        fresh.connect("--apply")


def test_the_web_may_store_secrets_and_nothing_else(tenant: Tenant) -> None:
    vault = tenant.vault_of(tenant.web)
    vault.set("probe", "x")
    for attempt in (lambda: vault.get("probe"), vault.names, lambda: vault.delete("probe")):
        with pytest.raises(SlipwayError) as refused:
            attempt()
        assert refused.value.code == "ForbiddenByRbac"


def test_purge_protection_is_chosen_and_kept(cloud: SandboxProcess) -> None:
    tenant = Tenant(cloud)
    assert "enable-purge-protection" not in tenant.connect()
    tenant.connect("--apply", "--purge-protection")
    assert "All is as it should be." in tenant.connect("--check", "--purge-protection")
    assert "All is as it should be." in tenant.connect("--check")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"web_id": "me@example.org"}, "is no id"),
        (
            {"web_id": "5117a000-0000-4000-8000-000000000001", "worker_id": "5117A000-0000-4000-8000-000000000001"},
            "two",
        ),
    ],
)
def test_identities_that_make_no_sense_are_refused(fresh: Tenant, changes: dict[str, str], words: str) -> None:
    for name, value in changes.items():
        setattr(fresh, name, value)
    with pytest.raises(CommandError, match=words):
        fresh.connect()


# --- the table of rights --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("registry", ["dockerhub", "acr"])
def test_the_roles_have_all_that_preflight_asks_for(registry: str) -> None:
    from dataclasses import replace
    from datetime import date

    spec = replace(hub_spec("x", date(2030, 1, 1)), registry=registry)
    given = set(worker_rights()) | set(GIVER)
    assert set(needed_actions(spec)) <= given
    assert {f"{name}/register/action" for name in needed_providers(spec)} <= given


def test_the_worker_may_do_whatever_the_simulated_azure_lets_be_done_to_clusters_and_registries() -> None:
    """So that a step which learns a new write is noticed here. What no step does stands beside."""
    unused = {"listClusterUserCredential/action", "registries/listCredentials/action", "tokens/delete"}
    clusters = ("Microsoft.ContainerService/managedClusters", "Microsoft.ContainerRegistry/registries")
    writes = {row.action for row in table.ROWS if row.action.startswith(clusters) and not row.action.endswith("/read")}
    assert {action for action in writes if not action.endswith(tuple(unused))} - set(worker_rights()) == set()


def test_no_role_holds_more_than_it_names() -> None:
    for role in ROLES.values():
        broad = [action for action in (*role.actions, *role.data_actions) if "*" in action and action != "*/read"]
        assert broad == []
        assert all(why for why in (*role.actions.values(), *role.data_actions.values()))


def test_giving_roles_is_bound_to_one() -> None:
    holders = [role for role in ROLES.values() if any("roleAssignments/write" in action for action in role.actions)]
    assert [role.key for role in holders] == ["registry access"]
    assert holders[0].condition.count("7f951dda-4ed3-4680-a7ca-43fe172d538d") == 2


def test_azure_md_has_the_same_table_of_rights() -> None:
    text = (ROOT / "docs" / "azure.md").read_text()
    told = set(re.findall(r"^\| `([\w*][\w./*]+)` \|", text, re.MULTILINE))
    assert told == {action for role in ROLES.values() for action in (*role.actions, *role.data_actions)}


def test_every_part_tells_its_command() -> None:
    wanted = Wanted("t", ("s1", "s2"), "w", "k", "vault", "group", "uksouth", purge_protection=True)
    found = planning.parts(wanted)
    assert all(part.command().startswith("az ") and part.title for part in found)
    assert len([part for part in found if "role assignment create" in part.command()]) == 6


def test_the_sdk_for_vaults_is_not_needed_to_run() -> None:
    imported = {
        node.module or ""
        for path in (ROOT / "cloud").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    assert not any(name.startswith(("azure.mgmt.keyvault", "azure.mgmt.authorization")) for name in imported)
