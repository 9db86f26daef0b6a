"""Troubles brought about in a cluster are gathered over the wire, and known by their rules."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cloud.kubernetes import KubernetesCluster
from deployments.diagnosis import diagnose
from tests.cloud.waiting import until
from tests.sandbox.kubernetes.driving import Cluster, balanced, deployment
from tests.sandbox_process import SandboxProcess
from worker.symptoms import gather

_numbers = itertools.count(1)


class Place:
    """A namespace of a cluster of its own, with a part of a hub in it."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.namespace = f"symptoms-{next(_numbers)}"
        self.cluster = Cluster(sandbox, self.namespace)
        self.cluster.until(self.cluster.ready_nodes)
        self.cluster.make_namespace(self.namespace)
        self.sandbox = sandbox

    def ail(self, **wish: Any) -> None:
        wish = {"cluster": self.cluster.key, "namespace": self.namespace} | wish
        self.sandbox.control("kubernetes/symptoms", wish)

    def install(self, name: str = "hub", init: bool = False, claim: bool = False) -> None:
        body = deployment(name)
        template = body["spec"]["template"]
        template["metadata"]["labels"]["component"] = name
        if init:
            template["spec"]["initContainers"] = [{"name": "git-clone-templates", "image": "alpine/git"}]
        if claim:
            wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
            disk = {"metadata": {"name": "hub-db-dir"}, "spec": wanted}
            self.cluster.core.create_namespaced_persistent_volume_claim(self.namespace, disk)
            volume = {"name": "disk", "persistentVolumeClaim": {"claimName": "hub-db-dir"}}
            template["spec"]["volumes"] = [volume]
        self.cluster.apps.create_namespaced_deployment(self.namespace, body)

    def codes(self, later: float = 0) -> list[str]:
        with KubernetesCluster(self.cluster.kubeconfig) as api:
            return [each.code for each in diagnose(gather(api, self.namespace, timezone.now() + timedelta(0, later)))]


@pytest.fixture
def place(cloud: SandboxProcess) -> Iterator[Place]:
    made = Place(cloud)
    yield made
    cloud.control("kubernetes/symptoms", method="DELETE")
    cloud.control(f"kubernetes/clusters/{made.cluster.key}", method="DELETE")
    made.cluster.close()


def test_a_part_that_runs_is_well(place: Place) -> None:
    place.install()
    listed = place.cluster.core.list_namespaced_pod
    until(lambda: [pod.status.phase for pod in listed(place.namespace).items] == ["Running"])
    until(lambda: place.codes() == [])


@pytest.mark.parametrize(
    ("code", "wish"),
    [
        ("image-refused", {"kind": "ImagePullBackOff"}),
        ("image-missing", {"kind": "ImagePullBackOff", "message": "manifest unknown"}),
        ("pull-limit", {"kind": "ErrImagePull", "message": "toomanyrequests: You have reached your pull rate limit."}),
        ("registry-unreachable", {"kind": "ImagePullBackOff", "message": "dial tcp: lookup quay.io: no such host"}),
        ("image-name", {"kind": "InvalidImageName", "message": "couldn't parse image reference"}),
        ("hub-settings", {"kind": "CrashLoopBackOff", "message": "traitlets.config.loader.ConfigFileNotFound: x"}),
        ("crash-loop", {"kind": "CrashLoopBackOff", "message": "OSError: nobody knows this one"}),
        ("hub-memory", {"kind": "OOMKilled"}),
        ("hub-full", {"kind": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient cpu."}),
        ("container-start", {"kind": "RunContainerError", "message": "exec: not found"}),
        ("disk-attach", {"kind": "FailedAttachVolume", "message": 'Multi-Attach error for volume "pvc-1"'}),
        ("policy", {"kind": "FailedCreate", "message": 'admission webhook "validation.gatekeeper.sh" denied: no'}),
        ("cluster-quota", {"kind": "FailedCreate", "message": "exceeded quota: pods, requested: pods=1, limited: 0"}),
        ("disk-full", {"kind": "Evicted", "message": "The node was low on resource: ephemeral-storage."}),
        ("evicted", {"kind": "Evicted", "message": "Pod was terminated in response to imminent node shutdown."}),
    ],
)
def test_a_pod_in_trouble_is_known(code: str, wish: dict[str, Any], place: Place) -> None:
    place.ail(pod="hub-", **wish)
    place.install()
    until(lambda: place.codes() == [code])


def test_templates_that_cannot_be_cloned_are_known(place: Place) -> None:
    place.ail(pod="hub-", kind="InitError", message="fatal: Remote branch spring not found in upstream origin")
    place.install(init=True)
    until(lambda: place.codes() == ["template-clone"])


def test_a_setting_that_is_missing_is_known_once_it_has_had_its_time(place: Place) -> None:
    place.ail(pod="hub-", kind="CreateContainerConfigError", message='secret "hub" not found')
    place.install()
    until(lambda: place.codes(later=70) == ["container-config"])
    assert place.codes() == []


@pytest.mark.parametrize(
    ("code", "message", "later"),
    [("address-pending", "", 310), ("ip-limit", "PublicIPCountLimitReached: too many", 0),
     ("dns-taken", "DnsRecordInUse: already used by another public IP", 0),
     ("address-refused", "AuthorizationFailed: no right to publicIPAddresses/write", 0)],
)  # fmt: skip
def test_an_address_that_does_not_come_is_known(code: str, message: str, later: float, place: Place) -> None:
    place.ail(service="proxy-public", kind="AddressPending", message=message)
    place.cluster.core.create_namespaced_service(place.namespace, balanced("proxy-public", place.namespace))
    until(lambda: place.codes(later) == [code])


def test_a_disk_that_cannot_be_made_is_known(place: Place) -> None:
    place.ail(claim="hub-db-dir", kind="ProvisioningFailed", message="SkuNotAvailable in this region")
    place.install(claim=True)
    until(lambda: place.codes() == ["disk-refused"])


@pytest.mark.parametrize(
    ("code", "kind"),
    [("disk-full", "DiskPressure"), ("node-memory", "MemoryPressure"), ("node-processes", "PIDPressure"),
     ("no-nodes", "NotReady")],
)  # fmt: skip
def test_a_machine_in_trouble_is_known(code: str, kind: str, place: Place) -> None:
    place.ail(node="aks-", kind=kind)
    until(lambda: place.codes() == [code])


def test_what_a_part_that_runs_said_long_ago_does_not_count(place: Place) -> None:
    place.install()
    until(lambda: place.codes() == [] and place.cluster.ready_nodes())
    said = {"namespace": place.namespace, "pod": "hub-", "lines": ["403 POST /hub/api/users/ada (10.0.0.9)"]}
    until(lambda: place.sandbox.control("kubernetes/lines", said)["pods"])
    until(lambda: place.codes() == ["hub-token"])
    assert place.codes(later=16 * 60) == []


def test_a_log_that_cannot_be_read_hides_nothing_else(place: Place) -> None:
    place.ail(pod="hub-", kind="CrashLoopBackOff")
    place.install()
    until(lambda: place.codes() == ["crash-loop"])
    place.sandbox.fault("/log", "unavailable", count=50)
    assert place.codes() == ["crash-loop"]
