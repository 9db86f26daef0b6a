"""A planned fault on a cluster's API is worded as an API server words it."""

from __future__ import annotations

import pytest

from tests.sandbox.kubernetes.driving import Cluster, Release, refused

REASONS = [
    ("throttled-silent", 429, "TooManyRequests"),
    ("server-error", 500, "InternalError"),
    ("unavailable", 503, "ServiceUnavailable"),
    ("expired-token", 401, "Unauthorized"),
    ("forbidden", 403, "Forbidden"),
    ("policy", 403, "Forbidden"),
]


@pytest.mark.parametrize(("kind", "code", "reason"), REASONS)
def test_a_fault_is_a_status_object(cluster: Cluster, kind: str, code: int, reason: str) -> None:
    cluster.sandbox.fault("^/k8s/shared/api/v1/nodes", kind)
    status = refused(cluster.core.list_node)
    assert (status["code"], status["reason"]) == (code, reason)


def test_a_client_that_is_told_when_comes_back_by_itself(cluster: Cluster) -> None:
    cluster.sandbox.clear_faults()
    cluster.sandbox.fault("^/k8s/shared/api/v1/nodes", "throttled")
    assert cluster.core.list_node().items
    assert [rule["struck"] for rule in cluster.sandbox.control("faults")] == [1]


def test_helm_reads_a_fault_as_the_clusters_own_words(release: Release) -> None:
    release.install()
    release.cluster.sandbox.fault(f"^/k8s/shared/apis/apps/v1/namespaces/{release.name}/deployments", "forbidden")
    done = release.helm("upgrade", release.name, str(release.chart), "--set", "tag=2")
    release.cluster.sandbox.clear_faults()
    assert done.returncode != 0
    assert "this is not allowed for this identity" in done.stderr
