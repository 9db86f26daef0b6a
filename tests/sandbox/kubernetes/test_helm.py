"""Real Helm against the simulated cluster."""

from __future__ import annotations

import time

from tests.sandbox.kubernetes.driving import Release

HOOK = """\
apiVersion: v1
kind: Pod
metadata: {name: check, annotations: {"helm.sh/hook": post-install}}
spec: {restartPolicy: Never, containers: [{name: c, image: "example/c:1"}]}
"""


def statuses(release: Release) -> list[str]:
    return [revision["status"] for revision in release.history()]


def test_an_install_makes_the_charts_objects(release: Release) -> None:
    release.install()
    assert statuses(release) == ["deployed"]
    assert release.tag() == "1"


def test_an_install_without_wait_returns_at_once(release: Release) -> None:
    started = time.monotonic()
    release.install()
    assert time.monotonic() - started < 5


def test_an_install_with_wait_returns_when_the_pods_are_ready(release: Release) -> None:
    release.install("--wait", "--timeout", "30s", "--set", "replicas=2")
    status = release.cluster.apps.read_namespaced_deployment("web", release.name).status
    assert (status.ready_replicas, status.updated_replicas) == (2, 2)


def test_an_upgrade_replaces_the_pods(release: Release) -> None:
    release.install("--wait", "--timeout", "30s")
    release.install("--wait", "--timeout", "30s", "--set", "tag=2")
    pods = release.cluster.core.list_namespaced_pod(release.name).items
    images = {pod.spec.containers[0].image for pod in pods if pod.metadata.deletion_timestamp is None}
    assert images == {"example/web:2"}
    assert statuses(release) == ["superseded", "deployed"]


def test_a_rollback_brings_the_old_values_back(release: Release) -> None:
    release.install()
    release.install("--set", "tag=2")
    release.ok("rollback", release.name, "1", "--wait", "--timeout", "30s")
    assert release.tag() == "1"
    assert statuses(release) == ["superseded", "superseded", "deployed"]


def test_an_uninstall_leaves_only_the_namespace(release: Release) -> None:
    release.install("--wait", "--timeout", "30s")
    release.ok("uninstall", release.name, "--wait", "--timeout", "30s")
    core = release.cluster.core
    release.cluster.until(lambda: not core.list_namespaced_pod(release.name).items)
    assert core.list_namespaced_service(release.name).items == []
    assert core.list_namespaced_secret(release.name).items == []
    assert core.read_namespace(release.name).status.phase == "Active"


def test_a_second_identical_upgrade_changes_no_object(release: Release) -> None:
    release.install()
    before = release.cluster.core.read_namespaced_config_map("settings", release.name).metadata.resource_version
    release.install()
    after = release.cluster.core.read_namespaced_config_map("settings", release.name).metadata.resource_version
    assert before == after


def test_wait_names_what_is_not_ready(release: Release) -> None:
    wish = {"namespace": release.name, "pod": "web-", "kind": "ImagePullBackOff"}
    release.cluster.sandbox.control("kubernetes/symptoms", wish)
    try:
        done = release.helm("upgrade", "--install", release.name, str(release.chart), "--create-namespace", "--wait",
                            "--timeout", "2s")  # fmt: skip
    finally:
        release.cluster.sandbox.control("kubernetes/symptoms", method="DELETE")
    assert done.returncode != 0
    assert f"Deployment/{release.name}/web not ready" in done.stderr
    assert statuses(release) == ["failed"]


def test_a_workload_that_wants_dockers_socket_never_starts_on_aks(release: Release) -> None:
    volume = '{"volumes":[{"name":"docker","hostPath":{"path":"/var/run/docker.sock","type":"Socket"}}]}'
    done = release.helm("upgrade", "--install", release.name, str(release.chart), "--create-namespace", "--wait",
                        "--timeout", "2s", "--set-json", f"extra={volume}")  # fmt: skip
    assert f"Deployment/{release.name}/web not ready" in done.stderr
    core = release.cluster.core
    pod = core.list_namespaced_pod(release.name).items[0]
    events = core.list_namespaced_event(release.name).items
    assert pod.status.container_statuses[0].state.waiting.reason == "ContainerCreating"
    assert [event.message for event in events if event.reason == "FailedMount"] == [
        'MountVolume.SetUp failed for volume "docker" : '
        "hostPath type check failed: /var/run/docker.sock is not a socket file"
    ]


def test_a_hooks_pod_ends_by_itself_and_helm_waits_for_it(release: Release) -> None:
    (release.chart / "templates" / "check.yaml").write_text(HOOK)
    release.install("--timeout", "20s")
    assert release.cluster.core.read_namespaced_pod("check", release.name).status.phase == "Succeeded"


def test_a_field_nobody_knows_fails_the_release(release: Release) -> None:
    done = release.helm("upgrade", "--install", release.name, str(release.chart), "--create-namespace", "--set",
                        "extra.nodeSelectr.a=b")  # fmt: skip
    assert done.returncode != 0
    assert ".spec.template.spec.nodeSelectr: field not declared in schema" in done.stderr


def test_status_and_values_can_be_read_back(release: Release) -> None:
    release.install("--set", "tag=7")
    assert "STATUS: deployed" in release.ok("status", release.name)
    assert release.ok("get", "values", release.name, "-o", "json").strip() == '{"tag":7}'
