"""What a real API server refuses is refused here, with the same Status. One refusal a test."""

from __future__ import annotations

from typing import Any

import kubernetes
import pytest
import yaml

from tests.sandbox.kubernetes.driving import Cluster, balanced, deployment, refused
from tests.sandbox_process import SandboxProcess


def code(status: dict[str, Any]) -> tuple[int, str]:
    return status["code"], status.get("reason", "")


def claim(**spec: Any) -> dict[str, Any]:
    full = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}} | spec
    return {"metadata": {"name": "data"}, "spec": full}


def test_a_wrong_token_is_unauthorized(cluster: Cluster) -> None:
    config = yaml.safe_load(cluster.kubeconfig)
    config["users"][0]["user"]["token"] = "stolen"
    with kubernetes.config.new_client_from_config_dict(config) as api:
        status = refused(lambda: kubernetes.client.CoreV1Api(api).list_node())
    assert (code(status), status["message"]) == ((401, "Unauthorized"), "Unauthorized")


def test_a_stopped_cluster_is_unavailable(sandbox: SandboxProcess) -> None:
    stopped = Cluster(sandbox, "stopped")
    sandbox.control("kubernetes/clusters/stopped/power", {"running": False})
    assert code(refused(stopped.core.list_node)) == (503, "ServiceUnavailable")


def test_a_removed_cluster_is_not_found(sandbox: SandboxProcess) -> None:
    removed = Cluster(sandbox, "removed")
    sandbox.control("kubernetes/clusters/removed", method="DELETE")
    assert code(refused(removed.core.list_node)) == (404, "NotFound")


def test_an_absent_object_is_not_found(cluster: Cluster, namespace: str) -> None:
    status = refused(lambda: cluster.core.read_namespaced_secret("none", namespace))
    assert status["message"] == 'secrets "none" not found'
    assert status["details"] == {"name": "none", "kind": "secrets"}


def test_an_unknown_kind_is_not_found(cluster: Cluster) -> None:
    status = refused(lambda: cluster.raw("GET", "/apis/example.org/v1/things"))
    assert status["message"] == "the server could not find the requested resource"


def test_nothing_is_made_in_an_absent_namespace(cluster: Cluster) -> None:
    status = refused(lambda: cluster.core.create_namespaced_config_map("nowhere", {"metadata": {"name": "a"}}))
    assert (code(status), status["message"]) == ((404, "NotFound"), 'namespaces "nowhere" not found')


def test_nothing_is_made_in_a_namespace_that_ends(cluster: Cluster, namespace: str) -> None:
    keeper = {"metadata": {"name": "keeper", "finalizers": ["example.org/keep"]}}
    cluster.core.create_namespaced_config_map(namespace, keeper)
    cluster.core.delete_namespace(namespace)
    status = refused(lambda: cluster.core.create_namespaced_config_map(namespace, {"metadata": {"name": "late"}}))
    assert code(status) == (403, "Forbidden")
    assert f"unable to create new content in namespace {namespace} because it is being terminated" in status["message"]
    cluster.core.patch_namespaced_config_map("keeper", namespace, {"metadata": {"finalizers": None}})


def test_a_second_object_of_a_name_already_exists(cluster: Cluster, namespace: str) -> None:
    cluster.core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}})
    status = refused(lambda: cluster.core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}}))
    assert (code(status), status["message"]) == ((409, "AlreadyExists"), 'configmaps "a" already exists')


def test_a_stale_put_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    old = cluster.core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}, "data": {"x": "1"}})
    cluster.core.patch_namespaced_config_map("a", namespace, {"data": {"x": "2"}})
    status = refused(lambda: cluster.core.replace_namespaced_config_map("a", namespace, old))
    assert code(status) == (409, "Conflict")
    assert "the object has been modified; please apply your changes to the latest version" in status["message"]


def test_a_delete_with_another_uid_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    cluster.core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}})
    body = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    status = refused(lambda: cluster.core.delete_namespaced_config_map("a", namespace, body=body))
    assert code(status) == (409, "Conflict")
    assert "Precondition failed: UID in precondition" in status["message"]


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "dot."])
def test_a_bad_name_is_invalid(cluster: Cluster, namespace: str, name: str) -> None:
    status = refused(lambda: cluster.core.create_namespaced_config_map(namespace, {"metadata": {"name": name}}))
    assert code(status) == (422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "metadata.name"
    assert "a lowercase RFC 1123 subdomain must consist of" in status["message"]


def test_a_namespace_name_with_a_dot_is_invalid(cluster: Cluster) -> None:
    status = refused(lambda: cluster.core.create_namespace({"metadata": {"name": "a.b"}}))
    assert "a lowercase RFC 1123 label must consist of" in status["message"]


def test_a_service_name_with_a_leading_digit_is_invalid(cluster: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "1web"}, "spec": {"ports": [{"port": 80}]}}
    assert (
        "a DNS-1035 label must consist of"
        in refused(lambda: cluster.core.create_namespaced_service(namespace, body))["message"]
    )


def test_a_bad_label_value_is_invalid(cluster: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "a", "labels": {"owner": "a b"}}}
    status = refused(lambda: cluster.core.create_namespaced_config_map(namespace, body))
    assert status["details"]["causes"][0]["field"] == "metadata.labels"


def test_an_unknown_field_in_an_apply_is_refused(cluster: Cluster, namespace: str) -> None:
    body = deployment(replica=3)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    status = refused(lambda: cluster.apply(path, body))
    assert code(status) == (500, "")
    assert status["message"] == (
        f"failed to create typed patch object ({namespace}/web; apps/v1, Kind=Deployment):"
        " .spec.replica: field not declared in schema"
    )


def test_a_wrong_type_in_an_apply_is_refused(cluster: Cluster, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    status = refused(lambda: cluster.apply(path, deployment(replicas="two")))
    assert ".spec.replicas: expected numeric (int or float), got string" in status["message"]


def test_a_doubled_environment_variable_in_an_apply_is_refused(cluster: Cluster, namespace: str) -> None:
    body = deployment()
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    body["spec"]["template"]["spec"]["containers"][0]["env"] = twice
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    assert 'env: duplicate entries for key [name="A"]' in refused(lambda: cluster.apply(path, body))["message"]


def test_an_apply_without_a_manager_is_refused(cluster: Cluster, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/a"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    status = refused(lambda: cluster.raw("PATCH", path, body, "application/apply-patch+yaml"))
    assert (code(status), "fieldManager: Required value" in status["message"]) == ((422, "Invalid"), True)


def test_an_apply_over_another_managers_value_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/a"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    cluster.apply(path, body, manager="first")
    status = refused(lambda: cluster.apply(path, body | {"data": {"x": "2"}}, manager="second"))
    assert code(status) == (409, "Conflict")
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "first" using v1: .data.x'


def test_an_unknown_field_in_a_strict_create_is_refused(cluster: Cluster, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    body = {"metadata": {"name": "a"}, "dat": {}}
    status = refused(lambda: cluster.raw("POST", path, body, fieldValidation="Strict"))
    assert code(status) == (400, "BadRequest")
    assert 'strict decoding error: unknown field "dat"' in status["message"]


def test_a_deployments_selector_is_immutable(cluster: Cluster, namespace: str) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    other = deployment()
    other["spec"]["selector"] = other["spec"]["template"]["metadata"] = None
    other["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    other["spec"]["template"]["metadata"] = {"labels": {"app": "other"}}
    status = refused(lambda: cluster.apps.replace_namespaced_deployment("web", namespace, other))
    assert status["details"]["causes"][0]["field"] == "spec.selector"
    assert status["message"].endswith("field is immutable")


def test_a_selector_that_misses_its_own_pods_is_invalid(cluster: Cluster, namespace: str) -> None:
    body = deployment(selector={"matchLabels": {"app": "other"}})
    status = refused(lambda: cluster.apps.create_namespaced_deployment(namespace, body))
    assert "`selector` does not match template `labels`" in status["message"]


def test_a_container_without_an_image_is_invalid(cluster: Cluster, namespace: str) -> None:
    body = deployment()
    body["spec"]["template"]["spec"]["containers"] = [{"name": "c"}]
    status = refused(lambda: cluster.apps.create_namespaced_deployment(namespace, body))
    assert status["message"].endswith("spec.template.spec.containers[0].image: Required value")


def test_a_mount_without_its_volume_is_invalid(cluster: Cluster, namespace: str) -> None:
    body = deployment()
    body["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "gone", "mountPath": "/x"}]
    status = refused(lambda: cluster.apps.create_namespaced_deployment(namespace, body))
    assert 'volumeMounts[0].name: Not found: "gone"' in status["message"]


def test_a_stateful_sets_service_name_is_immutable(cluster: Cluster, namespace: str) -> None:
    body = deployment("db", serviceName="db") | {"kind": "StatefulSet"}
    cluster.apps.create_namespaced_stateful_set(namespace, body)
    change = {"spec": {"serviceName": "other"}}
    status = refused(lambda: cluster.apps.patch_namespaced_stateful_set("db", namespace, change))
    assert "updates to statefulset spec for fields other than" in status["message"]


def test_a_claims_access_is_immutable(cluster: Cluster, namespace: str) -> None:
    cluster.core.create_namespaced_persistent_volume_claim(namespace, claim())
    change = {"spec": {"accessModes": ["ReadWriteMany"]}}
    status = refused(lambda: cluster.core.patch_namespaced_persistent_volume_claim("data", namespace, change))
    assert "spec is immutable after creation" in status["message"]


def test_a_claim_without_a_size_is_invalid(cluster: Cluster, namespace: str) -> None:
    body = claim(resources={})
    status = refused(lambda: cluster.core.create_namespaced_persistent_volume_claim(namespace, body))
    assert "spec.resources[storage]: Required value" in status["message"]


def test_an_unknown_service_type_is_invalid(cluster: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "web"}, "spec": {"type": "Balanced", "ports": [{"port": 80}]}}
    status = refused(lambda: cluster.core.create_namespaced_service(namespace, body))
    assert 'spec.type: Unsupported value: "Balanced": supported values: ' in status["message"]


def test_a_service_without_ports_is_invalid(cluster: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}}
    status = refused(lambda: cluster.core.create_namespaced_service(namespace, body))
    assert status["message"].endswith("spec.ports: Required value")


def test_a_services_address_does_not_change(cluster: Cluster, namespace: str) -> None:
    cluster.core.create_namespaced_service(namespace, {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})
    change = {"spec": {"clusterIP": "10.0.255.250"}}
    status = refused(lambda: cluster.core.patch_namespaced_service("web", namespace, change))
    assert "may not change once set" in status["message"]


def test_a_secrets_type_is_immutable(cluster: Cluster, namespace: str) -> None:
    cluster.core.create_namespaced_secret(namespace, {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    change = {"type": "example.org/other"}
    status = refused(lambda: cluster.core.patch_namespaced_secret("s", namespace, change))
    assert status["details"]["causes"][0]["field"] == "type"


def test_a_role_bindings_role_is_immutable(cluster: Cluster, namespace: str) -> None:
    rbac = kubernetes.client.RbacAuthorizationV1Api(cluster.api)
    role = {"kind": "Role", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    rbac.create_namespaced_role_binding(namespace, {"metadata": {"name": "b"}, "roleRef": role})
    change = {"roleRef": role | {"name": "writer"}}
    status = refused(lambda: rbac.patch_namespaced_role_binding("b", namespace, change))
    assert "cannot change roleRef" in status["message"]


def test_a_pod_needs_its_service_account(cluster: Cluster, namespace: str) -> None:
    spec = {"serviceAccountName": "nobody", "containers": [{"name": "c", "image": "example/c:1"}]}
    status = refused(lambda: cluster.core.create_namespaced_pod(namespace, {"metadata": {"name": "p"}, "spec": spec}))
    assert code(status) == (403, "Forbidden")
    assert 'serviceaccount "nobody" not found' in status["message"]


def test_a_log_of_a_container_that_waits_is_refused(cluster: Cluster, namespace: str) -> None:
    spec = {"nodeSelector": {"nowhere": "1"}, "containers": [{"name": "c", "image": "example/c:1"}]}
    cluster.core.create_namespaced_pod(namespace, {"metadata": {"name": "p"}, "spec": spec})
    status = refused(lambda: cluster.core.read_namespaced_pod_log("p", namespace))
    assert status["message"] == 'container "c" in pod "p" is waiting to start: ContainerCreating'


def test_an_unknown_field_selector_is_refused(cluster: Cluster, namespace: str) -> None:
    status = refused(lambda: cluster.core.list_namespaced_pod(namespace, field_selector="spec.colour=red"))
    assert "field label not supported: spec.colour" in status["message"]


def test_a_watch_from_a_forgotten_version_has_expired(cluster: Cluster, namespace: str) -> None:
    for number in range(150):
        cluster.core.create_namespaced_config_map(namespace, {"metadata": {"name": f"c{number}"}})
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    status = refused(lambda: cluster.raw("GET", path, watch="true", resourceVersion="2"))
    assert code(status) == (410, "Expired")


def test_a_taken_dns_label_gets_no_address(cluster: Cluster, namespace: str) -> None:
    cluster.core.create_namespaced_service(namespace, balanced("first", "taken-label"))
    read = cluster.core.read_namespaced_service
    cluster.until(lambda: read("first", namespace).status.load_balancer.ingress)
    cluster.core.create_namespaced_service(namespace, balanced("second", "taken-label"))
    cluster.until(lambda: "SyncLoadBalancerFailed" in cluster.reasons(namespace))
    messages = [event.message for event in cluster.core.list_namespaced_event(namespace).items]
    assert any("DnsRecordInUse" in message for message in messages)
    assert read("second", namespace).status.load_balancer.ingress is None
