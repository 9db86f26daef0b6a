"""What the sandbox remembers: its state over a kill, and a journal of every write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sandbox.azure.conftest import World, cluster_body, refusal
from tests.sandbox_process import SandboxProcess


def written(process: SandboxProcess) -> list[tuple[str, str, int]]:
    """Method, the path's last part and status of each write so far, sign-ins left out."""
    entries: list[dict[str, Any]] = process.control("journal")
    found = [(entry["method"], entry["path"].rsplit("/", 1)[-1], entry["status"]) for entry in entries]
    return [row for row in found if row[1] != "token"]


def test_everything_is_as_it_was_after_a_kill(tmp_path: Path) -> None:
    with SandboxProcess(tmp_path, speed=2000) as process:
        own = World(process)
        group = own.group(mine="yes")
        own.create(group, body=cluster_body(top={"tags": {"mine": "yes"}})).result()
        own.control("quota", subscription=own.subscription, name="cores", limit=4)
        own.control("policies", subscription=own.subscription, name="None of it", allowed_locations=["ukwest"])
        own.secrets(own.web).set_secret("kept", "value", tags={"a": "b"})
        process.control("dockerhub/accounts", {"username": "keeper", "token": "t"})
        journal = written(process)
        process.kill()
        process.start()
        assert own.groups.resource_groups.get(group).tags == {"mine": "yes"}
        assert own.aks.managed_clusters.get(group, "c1").tags == {"mine": "yes"}
        assert {row.limit for row in own.compute.usage.list("uksouth") if row.name.value == "cores"} == {4}
        refusal("RequestDisallowedByPolicy", 403, own.group)
        found = own.secrets().get_secret("kept")
        assert (found.value, found.properties.tags) == ("value", {"a": "b"})
        query = {"service": "registry.docker.io", "scope": "repository:keeper/x:pull"}
        assert own.http.get("/dockerhub-auth/token", params=query, auth=("keeper", "t")).status_code == 200
        assert written(process)[: len(journal)] == journal


def test_each_write_is_in_the_journal_once_with_its_answer_and_no_read_is(own: World) -> None:
    before = len(written(own.process))
    group = own.group()
    own.groups.resource_groups.get(group)
    own.create(group).result()
    refusal("InvalidParameter", 400, lambda: own.create(group, "-c"))
    own.groups.resource_groups.begin_delete(group).result()
    assert written(own.process)[before:] == [
        ("PUT", group, 201),
        ("PUT", "c1", 201),
        ("PUT", "-c", 400),
        ("DELETE", group, 202),
    ]


def test_what_took_effect_behind_a_fault_is_in_the_journal(own: World) -> None:
    before = len(written(own.process))
    own.process.fault("/resourcegroups/unseen", "server-error", method="PUT", before=False)
    refusal("InternalServerError", 500, lambda: own.group("unseen"))
    assert written(own.process)[before:] == [("PUT", "unseen", 201)]
    assert own.groups.resource_groups.get("unseen").location == "uksouth"
