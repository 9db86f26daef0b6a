"""What pages want to see of a hub's inside is looked at over the wire: masked, bounded, once, for as long as wanted."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from bootstrap.machine import ROOT
from deployments import services
from deployments.inside import subjects, wanting
from deployments.inside.subjects import HISTORY, OVERVIEW, Subject
from deployments.models import Checkup, Deployment, Look, Operation
from deployments.states import Lifecycle
from tests.cloud.waiting import until
from tests.environment import database_in_use
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub
from tests.worker.driving import Drive, at_once
from worker import jobs
from worker.context import Context
from worker.inside import looks
from worker.runner import Runner

pytestmark = pytest.mark.django_db(transaction=True)
_numbers = itertools.count(1)
KEY = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEowIBAAKCAQEAu1SU1LfVLPHCozMx", "-----END RSA PRIVATE KEY-----"]


@pytest.fixture
def hub(built: Callable[..., Deployment]) -> Deployment:
    """A hub that serves, in a namespace that no other test's cluster has."""
    return built(name=f"inside-{next(_numbers)}")


def look(hub: Deployment, subject: Subject) -> Look:
    """Wants the look, and has a worker do what is due."""
    wanting.want(hub, subject)
    Look.objects.filter(deployment=hub).update(due_at=timezone.now())
    with looks.Looks() as worker:
        worker.serve(True)
    return Look.objects.get(deployment=hub, subject=str(subject))


def pod_named(hub: Deployment, beginning: str) -> str:
    rows = look(hub, OVERVIEW).data["pods"]
    return next(str(row["name"]) for row in rows if row["name"].startswith(beginning))


def log_of(pod: str, container: str = "", previous: bool = False) -> Subject:
    found = subjects.log(pod, container, previous)
    assert found is not None
    return found


def say(cloud: SandboxProcess, hub: Deployment, pod: str, *lines: str, container: str = "") -> None:
    asked = {"namespace": hub.names.namespace, "pod": pod, "container": container, "lines": lines}
    assert cloud.control("kubernetes/lines", asked)["pods"]


def texts(found: Look) -> list[str]:
    return [line[2] for line in found.data["lines"]]


def test_the_overview_shows_pods_machines_addresses_disks_and_events(hub: Deployment) -> None:
    found = look(hub, OVERVIEW)
    data = found.data
    pods = {row["component"]: row for row in data["pods"]}
    assert {"hub", "proxy", "binder"} <= set(pods)
    assert (pods["hub"]["status"], pods["hub"]["ready_count"], pods["hub"]["restarts"]) == ("Running", 1, 0)
    assert [node["ready"] for node in data["nodes"]] == [True] and data["nodes"][0]["pressures"] == []
    assert any(each["name"] == "proxy-public" and each["addresses"] for each in data["services"])
    assert [each["phase"] for each in data["claims"]] == ["Bound"]
    assert data["events"][0]["last_seen"] >= data["events"][-1]["last_seen"]
    assert (data["diagnoses"], found.problem) == ([], "")


def test_a_pod_is_described_without_the_content_of_any_secret(hub: Deployment) -> None:
    pod = subjects.pod(pod_named(hub, "hub-"))
    assert pod is not None
    found = look(hub, pod).data
    (container,) = [each for each in found["pod"]["containers"] if each["name"] == "hub"]
    assert "CONFIGPROXY_AUTH_TOKEN" in container["variables"]
    assert {each["kind"] for each in found["pod"]["volumes"]} >= {"secret", "persistentVolumeClaim"}
    assert found["events"] and all(each["about"] == f"Pod/{pod.pod}" for each in found["events"])
    assert not [value for value in values_of(hub) if value in json.dumps(found)]


def values_of(hub: Deployment) -> set[str]:
    """Every secret of the hub, from the vault."""
    from deployments import outside

    refs = hub.secrets.values_list("vault_name", "version")
    told = [outside.vault().get(name, version) for name, version in refs]
    tokens = [token for value in told if value.startswith("{") for token in json.loads(value).values()]
    return {value for value in [*told, *tokens] if not value.startswith("{")}


def test_a_log_grows_by_what_is_printed(hub: Deployment, cloud: SandboxProcess) -> None:
    log = log_of(pod_named(hub, "hub-"))
    before = look(hub, log)
    say(cloud, hub, "hub-", "first", "second")
    after = look(hub, log)
    assert texts(after) == [*texts(before), "first", "second"]
    numbers = [line[0] for line in after.data["lines"]]
    assert numbers == sorted(set(numbers)) and numbers[: len(texts(before))] == [
        each[0] for each in before.data["lines"]
    ]
    assert after.data["container"] == "hub"


def test_secrets_that_a_pod_prints_are_masked(hub: Deployment, cloud: SandboxProcess) -> None:
    secrets = values_of(hub)
    assert "dckr_pat_demo" in secrets and len(secrets) > 3
    planted = [f"signing in with {value}!" for value in secrets]
    say(cloud, hub, "hub-", *planted, "GET /user/ada/lab?token=5f3c1e0d9b8a7766 200", *KEY)
    log = log_of(pod_named(hub, "hub-"))
    Look.objects.all().delete()
    wanting.want(hub, log)
    in_another_process()
    found = texts(Look.objects.get(subject=str(log)))
    shown = "\n".join(found)
    assert shown.count("signing in with •••!") == len(secrets)
    assert not [value for value in {*secrets, "5f3c1e0d9b8a7766", KEY[1]} if value in shown]


def test_evidence_in_a_runs_log_is_masked(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any], ailing: Callable[..., None]
) -> None:
    hub = make_hub(name=f"inside-{next(_numbers)}")
    ailing(hub, pod="hub-", kind="NotReady")
    operation = drive(services.approve(people["reviewer"], hub, 1), until="workloads")
    ailing(hub, pod="proxy-", kind="RunContainerError", message="exec: dckr_pat_demo: not found", replace=True)

    def told() -> str:
        operation.steps.update(next_due_at=timezone.now())
        Operation.objects.filter(id=operation.id).update(next_due_at=timezone.now())
        in_another_process()
        return "\n".join(operation.events.filter(message__contains="exec: ").values_list("message", flat=True))

    said = until(told)
    assert "exec: •••: not found" in said and "dckr_pat_demo" not in said


def in_another_process() -> None:
    """Does what is due in a process that has learnt none of the secrets yet, as a worker's job is."""
    script = "import django; django.setup(); from worker import jobs; jobs.run_due(budget=0.5)"
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "DATABASE_URL": database_in_use()}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environ, check=True, timeout=60)


def test_without_the_vault_nothing_is_shown(hub: Deployment, cloud: SandboxProcess) -> None:
    cloud.fault("/secrets/", "forbidden", count=50)
    found = look(hub, OVERVIEW)
    assert found.data == {} and found.problem


def test_the_log_before_the_last_restart_is_kept(
    hub: Deployment, cloud: SandboxProcess, ailing: Callable[..., None]
) -> None:
    pod = pod_named(hub, "binder-")
    ailing(hub, pod="binder-", kind="CrashLoopBackOff", message="ValueError: no hub_url")
    until(lambda: any(row["restarts"] for row in look(hub, OVERVIEW).data["pods"]))
    assert "ValueError: no hub_url" in texts(look(hub, log_of(pod, "binder", previous=True)))


def test_a_log_that_does_not_exist_says_why(hub: Deployment) -> None:
    pod = pod_named(hub, "proxy-")
    assert "no container sidecar" in look(hub, log_of(pod, "sidecar")).problem
    assert "previous terminated container" in look(hub, log_of(pod, "", previous=True)).data["problem"]
    assert "no pod of this name" in look(hub, log_of("proxy-nobody")).problem


def test_a_long_log_shows_its_newest_lines_each_cut(hub: Deployment, cloud: SandboxProcess) -> None:
    say(cloud, hub, "hub-", *(f"line {number}" for number in range(600)), "x" * 5000, "\x1b[31mred\x1b[0m")
    found = look(hub, log_of(pod_named(hub, "hub-")))
    assert len(found.data["lines"]) <= 500 and found.data["full"]
    assert [len(text) for text in texts(found)[-2:]] == [2000, 3] and "line 599" in texts(found)


def test_helms_history_is_shown_newest_first(hub: Deployment) -> None:
    (revision,) = look(hub, HISTORY).data["revisions"]
    assert (revision["revision"], revision["status"]) == (1, "deployed")
    assert revision["chart"].startswith("binderhub-") and revision["description"] == "Install complete"


def test_troubles_are_kept_with_the_hub(hub: Deployment, ailing: Callable[..., None]) -> None:
    ailing(hub, pod="hub-", kind="ImagePullBackOff", replace=True)
    until(lambda: [each["code"] for each in look(hub, OVERVIEW).data["diagnoses"]] == ["image-refused"])
    (kept,) = Checkup.objects.get(deployment=hub).found
    assert (
        kept["code"] == "image-refused"
        and "under Secrets" in kept["fix"]
        and "pull access denied" in kept["evidence"][0]
    )


@pytest.mark.parametrize("lifecycle", [Lifecycle.STOPPED, Lifecycle.REQUESTED])
def test_where_no_cluster_runs_the_look_says_so_without_asking_anybody(
    lifecycle: str, make_hub: Callable[..., Deployment], cloud: SandboxProcess
) -> None:
    hub = make_hub()
    Deployment.objects.filter(id=hub.id).update(lifecycle=lifecycle)
    hub.refresh_from_db()
    assert look(hub, OVERVIEW).problem == wanting.closed(hub) != ""


def test_a_cluster_that_does_not_answer_is_said_and_what_was_seen_stays(hub: Deployment, cloud: SandboxProcess) -> None:
    pod = subjects.pod(pod_named(hub, "hub-"))
    assert pod is not None
    seen = look(hub, pod).data
    cloud.fault("/k8s/", "unavailable", count=50)
    found = look(hub, pod)
    assert "503" in found.problem and found.data == seen


def test_a_look_is_never_taken_by_two_workers(make_hub: Callable[..., Deployment]) -> None:
    hub = make_hub()
    for number in range(wanting.MOST):
        wanting.want(hub, log_of(f"pod-{number}"))
    taken = at_once(lambda: [each.id for _ in range(5) for each in looks.claim(4)])
    assert sorted(itertools.chain.from_iterable(taken)) == sorted(hub.looks.values_list("id", flat=True))


def test_a_worker_that_was_taken_for_dead_writes_nothing(hub: Deployment) -> None:
    wanting.want(hub, OVERVIEW)
    (old,) = looks.claim(1)
    Look.objects.update(due_at=timezone.now())
    (new,) = looks.claim(1)
    inside = looks.Inside(hub)
    looks.fill(old, inside)
    assert Look.objects.get().looked_at is None
    looks.fill(new, inside)
    assert Look.objects.get().looked_at


def test_what_nobody_wants_to_see_any_more_is_forgotten(hub: Deployment) -> None:
    look(hub, OVERVIEW)
    later = timezone.now() + wanting.WANTED + timedelta(seconds=1)
    assert wanting.work(later) and not wanting.wanted(later)
    Look.objects.update(wanted_until=timezone.now())
    with looks.Looks() as worker:
        worker.serve(True)
    assert not Look.objects.exists()


def test_one_hub_keeps_no_more_looks_than_pages_can_be_open(make_hub: Callable[..., Deployment]) -> None:
    hub = make_hub()
    for number in range(wanting.MOST + 5):
        wanting.want(hub, log_of(f"pod-{number}"))
    assert hub.looks.count() == wanting.MOST
    assert hub.looks.filter(subject=f"log/pod-{wanting.MOST + 4}/").exists()


def test_a_look_is_filled_in_while_a_chore_takes_its_time(hub: Deployment) -> None:
    over = threading.Event()

    def chore() -> None:
        with jobs.Chore(lambda: bool(over.wait(20))) as doing, looks.Looks(doing) as beside:
            Runner(lambda _operation: (), Context, asides=[doing, beside]).run(limit=8, budget=0.0)
        connection.close()

    working = threading.Thread(target=chore)
    working.start()
    wanting.want(hub, OVERVIEW)  # comes when the chore has long begun
    until(lambda: Look.objects.get().looked_at)
    assert working.is_alive()
    over.set()
    working.join(10)
    assert not working.is_alive()


def test_a_job_stays_while_somebody_looks_and_goes_when_its_time_is_over(hub: Deployment) -> None:
    wanting.want(hub, OVERVIEW)
    jobs.run_due(budget=1.0)
    assert Look.objects.get().looked_at


def test_a_subject_that_makes_no_sense_is_dropped(make_hub: Callable[..., Deployment]) -> None:
    hub = make_hub()
    Look.objects.create(deployment=hub, subject="secrets/all", wanted_until=timezone.now() + wanting.WANTED)
    with looks.Looks() as worker:
        worker.serve(True)
    assert not Look.objects.exists()
