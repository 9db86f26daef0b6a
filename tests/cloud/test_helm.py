"""The real Helm 4 against the sandbox's Kubernetes API."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from cloud.errors import InvalidRequest, NotYet, SlipwayError, Unavailable
from cloud.helm import Helm, HelmError, Release, ValuesRefused
from cloud.helm_errors import MASK, Mask, explain, progress_line
from cloud.helm_process import Run, run
from cloud.kubernetes import KubernetesCluster
from cloud.profile import AzureCloud
from tests.cloud.hub_values import CHART, hub_values
from tests.cloud.waiting import until
from tests.sandbox_process import PROJECT, SandboxProcess

NAME = "demo"
CANARY = "canary-5ecret-p4ssword"


class Hub:
    """Helm, bound to one release in one fresh cluster."""

    def __init__(self, helm: Helm, kubeconfig: bytes, profile: AzureCloud) -> None:
        self.helm, self.kubeconfig, self.profile = helm, kubeconfig, profile
        self.values = hub_values(profile.hub_url("demo-abc123", "uksouth"), "demo-abc123")

    def install(self, values: dict[str, Any] | None = None, **more: Any) -> Release:
        profile = self.profile
        chart = (CHART, profile.chart_repository, more.pop("version", profile.chart_version))
        options = {"ca_file": profile.chart_ca_bundle, **more}
        return self.helm.upgrade_install(self.kubeconfig, NAME, NAME, *chart, values or self.values, **options)

    def release(self) -> Release | None:
        return self.helm.release(self.kubeconfig, NAME, NAME)


@pytest.fixture
def hub(helm: Helm, kubeconfig: bytes, cluster: KubernetesCluster, profile: AzureCloud) -> Hub:
    cluster.create_namespace(NAME)
    return Hub(helm, kubeconfig, profile)


def test_what_is_not_installed_is_none(hub: Hub) -> None:
    assert hub.release() is None
    assert hub.helm.history(hub.kubeconfig, NAME, NAME) == []


def test_an_install_tells_what_it_makes_and_returns_at_once(hub: Hub) -> None:
    lines: list[str] = []
    release = hub.install(on_lines=lines.extend)
    assert (release.revision, release.status, release.pending) == (1, "deployed", False)
    assert "Created Deployment hub" in lines
    assert release.updated is not None


def test_an_upgrade_makes_a_new_revision_with_the_new_values(hub: Hub) -> None:
    hub.install()
    hub.values["config"]["BinderHub"]["per_repo_quota"] = 7
    assert hub.install().revision == 2
    assert hub.helm.values(hub.kubeconfig, NAME, NAME) == hub.values
    assert [entry.status for entry in hub.helm.history(hub.kubeconfig, NAME, NAME)] == ["superseded", "deployed"]


def test_a_rollback_goes_back(hub: Hub) -> None:
    hub.install()
    hub.install(hub.values | {"replicas": 2})
    hub.helm.rollback(hub.kubeconfig, NAME, NAME, 1)
    assert "replicas" not in hub.helm.values(hub.kubeconfig, NAME, NAME)


def test_an_uninstall_leaves_the_namespace_and_twice_is_fine(hub: Hub, cluster: KubernetesCluster) -> None:
    hub.install()
    hub.helm.uninstall(hub.kubeconfig, NAME, NAME)
    assert hub.release() is None
    hub.helm.uninstall(hub.kubeconfig, NAME, NAME)
    until(lambda: not cluster.workloads(NAME))
    assert cluster.namespace(NAME) is not None


def test_values_the_chart_does_not_know_are_named_by_path_without_their_content(hub: Hub) -> None:
    with pytest.raises(ValuesRefused) as caught:
        hub.install(hub.values | {"github": {"password": CANARY}})
    assert "github" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.remedy


def test_a_value_of_the_wrong_type_is_not_quoted(hub: Hub) -> None:
    with pytest.raises(ValuesRefused) as caught:
        hub.install(hub.values | {"replicas": CANARY})
    assert "replicas" in str(caught.value)
    assert CANARY not in str(caught.value)


def test_a_chart_version_nobody_has_is_said(hub: Hub) -> None:
    with pytest.raises(HelmError, match="no such chart version"):
        hub.install(version="9.9.9")


def test_a_version_cannot_leave_the_cache(hub: Hub) -> None:
    with pytest.raises(InvalidRequest):
        hub.install(version="../../etc/passwd")


def test_a_chart_is_fetched_once_for_many_hubs(hub: Hub, sandbox: SandboxProcess) -> None:
    profile = hub.profile
    wanted = (CHART, profile.chart_repository, profile.chart_version, profile.chart_ca_bundle)
    first = hub.helm.chart(*wanted)
    sandbox.fault("/charts/", "unavailable", count=100)
    assert hub.helm.chart(*wanted) == first


def test_half_a_chart_is_fetched_again(hub: Hub) -> None:
    profile = hub.profile
    wanted = (CHART, profile.chart_repository, profile.chart_version, profile.chart_ca_bundle)
    archive = hub.helm.chart(*wanted)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    hub.helm.chart(*wanted)
    assert archive.read_bytes() == whole


def test_a_chart_repository_on_a_bad_day_is_tried_again(
    profile: AzureCloud, sandbox: SandboxProcess, tmp_path: Path, helm: Helm
) -> None:
    fresh = Helm(helm._binary, tmp_path)
    sandbox.fault("/charts/", "unavailable", count=100)
    with pytest.raises(Unavailable):
        fresh.chart(CHART, profile.chart_repository, profile.chart_version, profile.chart_ca_bundle)


def test_a_cluster_on_a_bad_day_is_tried_again(hub: Hub, sandbox: SandboxProcess) -> None:
    sandbox.fault("/k8s/.*/version", "unavailable", count=100)
    sandbox.fault("/k8s/.*/secrets", "unavailable", count=100)
    with pytest.raises(Unavailable):
        hub.install()


def test_an_install_that_failed_is_just_tried_again(hub: Hub, sandbox: SandboxProcess) -> None:
    sandbox.fault("/k8s/.*/deployments/proxy", "unavailable", method="PATCH", count=1)
    with contextlib.suppress(SlipwayError):
        hub.install()
    assert hub.install().status == "deployed"


STARTER = """
import json, os, sys
from pathlib import Path
from cloud.helm import Helm
given = json.loads(sys.stdin.read())
given["kubeconfig"] = given["kubeconfig"].encode()
helm = Helm(Path(given.pop("binary")), Path(given.pop("work_dir")), stuck_after=0.5)
helm.upgrade_install(**given)
"""


def begin(hub: Hub) -> subprocess.Popen[bytes]:
    """A worker in another process that installs the hub."""
    given = {
        "binary": str(hub.helm._binary),
        "work_dir": str(hub.helm._home),
        "kubeconfig": hub.kubeconfig.decode(),
        "name": NAME,
        "namespace": NAME,
        "chart": CHART,
        "repository": hub.profile.chart_repository,
        "version": hub.profile.chart_version,
        "values": hub.values,
        "ca_file": hub.profile.chart_ca_bundle,
    }
    worker = subprocess.Popen(
        [sys.executable, "-c", STARTER], stdin=subprocess.PIPE, cwd=PROJECT, stderr=subprocess.DEVNULL
    )
    assert worker.stdin
    worker.stdin.write(json.dumps(given).encode())
    worker.stdin.close()
    return worker


def helm_process(of: int) -> int | None:
    """The Helm that a worker has started and that has begun to write to the cluster."""
    children = Path(f"/proc/{of}/task/{of}/children")
    for child in (children.read_text() if children.exists() else "").split():
        with contextlib.suppress(OSError):
            if b"\0upgrade\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return None


def stuck(hub: Hub, sandbox: SandboxProcess) -> str:
    """Kill worker and Helm in the middle of their work; the state that the release is left in."""
    slow(sandbox, 60)
    worker = begin(hub)
    helm = until(lambda: helm_process(worker.pid))
    until(lambda: (release := hub.release()) is not None and release.pending)
    os.kill(worker.pid, signal.SIGKILL)
    os.kill(helm, signal.SIGKILL)
    worker.wait()
    sandbox.clear_faults()  # it may have been killed before it met the one
    release = hub.release()
    assert release is not None
    return release.status


def slow(sandbox: SandboxProcess, seconds: float) -> None:
    """Hold Helm up in the middle of its work; what will be killed may be held up for long."""
    sandbox.fault("/k8s/.*/deployments/hub", "slow", method="PATCH", delay=seconds, count=1)


def test_an_install_that_was_killed_is_taken_up_again_with_nothing_made_twice(
    hub: Hub, sandbox: SandboxProcess
) -> None:
    assert stuck(hub, sandbox) == "pending-install"
    until(lambda: _installed(hub))
    release = hub.release()
    assert release is not None
    assert release.status == "deployed"
    made = created(hub, sandbox)
    assert any(path.endswith("/deployments/hub") for path in made)
    assert len(made) == len(set(made))


def created(hub: Hub, sandbox: SandboxProcess) -> list[str]:
    """What was made for this hub; Helm's notes of its revisions left out, as their writes carry no name."""
    server = urlsplit(YAML(typ="safe").load(hub.kubeconfig)["clusters"][0]["cluster"]["server"]).path
    rows = sandbox.control("journal")
    paths = [row["path"] for row in rows if row["status"] == 201 and row["path"].startswith(f"{server}/")]
    return [path for path in paths if f"/namespaces/{NAME}/" in path and not path.endswith("/secrets")]


def test_an_upgrade_that_was_killed_is_done_again(hub: Hub, sandbox: SandboxProcess) -> None:
    hub.install()
    hub.values["replicas"] = 2
    assert stuck(hub, sandbox) == "pending-upgrade"
    until(lambda: _installed(hub))
    history = hub.helm.history(hub.kubeconfig, NAME, NAME)
    assert history[-1].status == "deployed"
    assert history[-1].revision == 3  # installed, killed, upgraded
    assert hub.helm.values(hub.kubeconfig, NAME, NAME)["replicas"] == 2


def _installed(hub: Hub) -> bool:
    try:
        hub.install()
    except NotYet:
        return False
    return True


def test_a_helm_that_outlives_its_worker_finishes_and_nobody_disturbs_it(hub: Hub, sandbox: SandboxProcess) -> None:
    slow(sandbox, 4)
    worker = begin(hub)
    until(lambda: helm_process(worker.pid))
    until(lambda: (release := hub.release()) is not None and release.pending)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    with pytest.raises(NotYet):
        hub.install()
    until(lambda: (release := hub.release()) is not None and release.status == "deployed")


def test_an_exception_while_helm_works_stops_helm(hub: Hub, sandbox: SandboxProcess) -> None:
    slow(sandbox, 4)

    def give_up(_lines: list[str]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.install(on_lines=give_up)
    assert helm_process(os.getpid()) is None
    until(lambda: _installed(hub))


def test_nothing_secret_is_in_arguments_or_environment(hub: Hub, sandbox: SandboxProcess) -> None:
    hub.values["registry"]["password"] = CANARY
    slow(sandbox, 4)
    worker = begin(hub)
    helm = until(lambda: helm_process(worker.pid))
    seen = Path(f"/proc/{helm}/cmdline").read_bytes() + Path(f"/proc/{helm}/environ").read_bytes()
    worker.wait()
    assert CANARY.encode() not in seen
    for file in (path for path in hub.helm._home.rglob("*") if path.is_file()):
        content = file.read_bytes()
        assert CANARY.encode() not in content, file
        assert base64.b64encode(CANARY.encode()) not in content, file


def test_several_hubs_can_be_installed_at_once_by_one_process(hub: Hub, cluster: KubernetesCluster) -> None:
    names = ["one", "two", "three"]
    for name in names:
        cluster.create_namespace(name)
    profile = hub.profile
    chart = (CHART, profile.chart_repository, profile.chart_version)

    def install(name: str) -> str:
        trust = profile.chart_ca_bundle
        return hub.helm.upgrade_install(hub.kubeconfig, name, name, *chart, hub.values, ca_file=trust).status

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(install, names)) == ["deployed"] * 3


def test_a_mask_hides_every_form_of_a_secret_and_nothing_else() -> None:
    mask = Mask({"registry": {"password": CANARY, "username": "somebody"}, "tokens": ["another-token"]})
    text = f"{CANARY} {base64.b64encode(CANARY.encode()).decode()} another-token somebody"
    assert mask(text) == f"{MASK} {MASK} {MASK} somebody"


def test_progress_is_told_in_words() -> None:
    line = 'level=DEBUG msg="Created resource via patch" namespace=demo name=hub gvk="apps/v1, Kind=Deployment"'
    assert progress_line(line) == "Created Deployment hub"
    assert progress_line('level=DEBUG msg="unmarshalled JSON schema" schema="{\\n}"') == ""


@pytest.mark.parametrize(
    "words",
    [
        "write tcp 127.0.0.1:41524->127.0.0.1:33923: write: broken pipe",
        "read tcp 10.0.0.4:5000->20.1.2.3:443: read: connection timed out",
        "dial tcp 20.1.2.3:443: connect: no route to host",
        "the server is currently unable to handle the request (post secrets)",
        "etcdserver: leader changed",
    ],
)
def test_a_connection_that_broke_under_helm_is_a_trouble_that_passes(words: str) -> None:
    stderr = f'Error: create: failed to create: Post "https://example.hcp.uksouth.azmk8s.io/api/v1": {words}'
    assert isinstance(explain("install", stderr, Mask()), Unavailable)


def test_a_helm_that_something_else_has_killed_is_a_trouble_that_passes(tmp_path: Path) -> None:
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    with pytest.raises(Unavailable, match="ended by something else"):
        run(program, Run([], {}), 10)


def test_a_connection_that_broke_while_the_chart_was_filled_in_is_not_the_charts_mistake() -> None:
    stderr = (
        "Error: template: jupyterhub/templates/hub/secret.yaml:30:5: executing at <include>: error calling"
        ' include: error calling lookup: Get "https://10.0.0.1/api/v1": dial tcp 10.0.0.1: connect: connection refused'
    )
    assert isinstance(explain("install", stderr, Mask()), Unavailable)


def test_a_value_that_does_not_fit_a_pattern_is_taken_out_of_the_complaint() -> None:
    stderr = "Error: values don't meet the specifications of the schema(s)\n- at '/a/b': 'hunter22' does not match '^x'"
    error = explain("install", stderr, Mask())
    assert "hunter22" not in str(error)
    assert "/a/b" in str(error)
