"""Reading and writing by the real client: selectors, pages, watches, patches, ownership."""

from __future__ import annotations

import json
import threading
from typing import Any

from kubernetes import client, watch

from tests.sandbox.kubernetes.driving import Cluster, deployment


def config_map(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "data": {"a": "1"}}


def names(found: Any) -> list[str]:
    return [item.metadata.name for item in found.items if not item.metadata.name.startswith("kube-root")]


def fill(cluster: Cluster, namespace: str, count: int = 5) -> None:
    for number in range(count):
        body = config_map(f"c{number}", parity="even" if number % 2 == 0 else "odd", number=str(number))
        cluster.core.create_namespaced_config_map(namespace, body)


def test_every_field_of_the_version_is_there(cluster: Cluster) -> None:
    version = client.VersionApi(cluster.api).get_code()
    assert (version.git_version, version.platform) == ("v1.34.2", "linux/amd64")


def test_a_label_selector_picks(cluster: Cluster, namespace: str) -> None:
    fill(cluster, namespace)
    pick = cluster.core.list_namespaced_config_map
    assert names(pick(namespace, label_selector="parity=even")) == ["c0", "c2", "c4"]
    assert names(pick(namespace, label_selector="number in (1, 2),parity!=even")) == ["c1"]
    assert names(pick(namespace, label_selector="parity,!other,number notin (0,1,2)")) == ["c3", "c4"]


def test_a_field_selector_picks(cluster: Cluster, namespace: str) -> None:
    fill(cluster, namespace, 2)
    assert names(cluster.core.list_namespaced_config_map(namespace, field_selector="metadata.name=c1")) == ["c1"]


def test_pages_give_everything_once(cluster: Cluster, namespace: str) -> None:
    fill(cluster, namespace)
    seen, token = [], ""
    while True:
        more = {"_continue": token} if token else {}
        page = cluster.core.list_namespaced_config_map(namespace, limit=2, label_selector="parity", **more)
        seen += names(page)
        token = getattr(page.metadata, "_continue", None) or getattr(page.metadata, "var_continue", None) or ""
        if not token:
            break
    assert seen == ["c0", "c1", "c2", "c3", "c4"]


def test_a_watch_sees_what_happens_after_the_list(cluster: Cluster, namespace: str) -> None:
    fill(cluster, namespace, 1)
    listed = cluster.core.list_namespaced_config_map(namespace)
    cluster.core.patch_namespaced_config_map("c0", namespace, {"data": {"a": "2"}})
    cluster.core.delete_namespaced_config_map("c0", namespace)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    query = {"watch": "true", "resourceVersion": listed.metadata.resource_version, "timeoutSeconds": "1"}
    lines = _lines(cluster, path, query)
    assert [line["type"] for line in lines] == ["MODIFIED", "DELETED"]


def test_initial_events_end_with_a_marked_bookmark(cluster: Cluster, namespace: str) -> None:
    fill(cluster, namespace, 2)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    query = {"watch": "true", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan",
             "allowWatchBookmarks": "true", "labelSelector": "parity", "timeoutSeconds": "1"}  # fmt: skip
    lines = _lines(cluster, path, query)[:3]  # a plain bookmark may come before the time is up
    assert [line["type"] for line in lines] == ["ADDED", "ADDED", "BOOKMARK"]
    assert lines[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def _lines(cluster: Cluster, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
    prepared = cluster.api.param_serialize("GET", path, query_params=list(query.items()), auth_settings=["BearerToken"])
    response = cluster.api.rest_client.request(prepared[0], prepared[1], headers=prepared[2])
    return [json.loads(line) for line in response.read().splitlines()]


def test_the_clients_own_watch_follows_a_deployment(cluster: Cluster, namespace: str) -> None:
    follower = watch.Watch()
    seen: list[str] = []

    def follow() -> None:
        for event in follower.stream(cluster.core.list_namespaced_pod, namespace, timeout_seconds=10):
            seen.append(event["object"].status.phase)
            if seen[-1] == "Running":
                follower.stop()

    thread = threading.Thread(target=follow)
    thread.start()
    cluster.apps.create_namespaced_deployment(namespace, deployment())
    thread.join(12)
    assert (seen[0], seen[-1]) == ("Pending", "Running")


def test_a_merge_patch_removes_by_null(cluster: Cluster, namespace: str) -> None:
    fill(cluster, namespace, 1)
    path = f"/api/v1/namespaces/{namespace}/configmaps/c0"
    patch = {"data": {"a": None, "b": "2"}}
    assert cluster.raw("PATCH", path, patch, "application/merge-patch+json")["data"] == {"b": "2"}


def test_a_json_patch_works_by_path(cluster: Cluster, namespace: str) -> None:
    fill(cluster, namespace, 1)
    path = f"/api/v1/namespaces/{namespace}/configmaps/c0"
    operations = [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "add", "path": "/data/b~1c", "value": "2"}]
    patched = cluster.raw("PATCH", path, operations, "application/json-patch+json")
    assert patched["data"] == {"a": "1", "b/c": "2"}


def test_a_strategic_patch_merges_containers_by_name(cluster: Cluster, namespace: str) -> None:
    cluster.apps.create_namespaced_deployment(namespace, deployment(replicas=0))
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "second", "image": "example/d:1"}]}}}}
    patched = cluster.raw("PATCH", path, patch, "application/strategic-merge-patch+json")
    assert {item["name"] for item in patched["spec"]["template"]["spec"]["containers"]} == {"c", "second"}


def test_a_dry_run_changes_nothing(cluster: Cluster, namespace: str) -> None:
    made = cluster.core.create_namespaced_config_map(namespace, config_map("dry"), dry_run="All")
    assert made.metadata.uid
    assert names(cluster.core.list_namespaced_config_map(namespace)) == []


def test_a_write_that_changes_nothing_keeps_its_version(cluster: Cluster, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    first = cluster.apply(path, deployment(replicas=0))
    cluster.until(lambda: (cluster.raw("GET", path).get("status") or {}).get("conditions"))
    before = cluster.raw("GET", path)["metadata"]
    after = cluster.apply(path, deployment(replicas=0))["metadata"]
    assert (before["resourceVersion"], before["generation"]) == (after["resourceVersion"], after["generation"])
    assert first["metadata"]["uid"] == after["uid"]


def test_a_field_no_longer_applied_goes(cluster: Cluster, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/a"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1", "y": "2"}}
    cluster.apply(path, body)
    assert cluster.apply(path, body | {"data": {"x": "1"}})["data"] == {"x": "1"}


def test_a_forced_apply_takes_the_field_over(cluster: Cluster, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/a"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    cluster.apply(path, body, manager="first")
    taken = cluster.apply(path, body | {"data": {"x": "2"}}, manager="second", force="true")
    owners = {entry["manager"]: entry["fieldsV1"] for entry in taken["metadata"]["managedFields"]}
    assert taken["data"] == {"x": "2"}
    assert owners == {"second": {"f:data": {"f:x": {}}}}


def test_a_generation_counts_changes_of_the_spec_only(cluster: Cluster, namespace: str) -> None:
    made = cluster.apps.create_namespaced_deployment(namespace, deployment(replicas=0))
    labelled = cluster.apps.patch_namespaced_deployment("web", namespace, {"metadata": {"labels": {"a": "b"}}})
    scaled = cluster.apps.patch_namespaced_deployment("web", namespace, {"spec": {"minReadySeconds": 1}})
    assert [item.metadata.generation for item in (made, labelled, scaled)] == [1, 1, 2]


def test_a_collection_is_deleted_by_selector(cluster: Cluster, namespace: str) -> None:
    fill(cluster, namespace)
    cluster.core.delete_collection_namespaced_config_map(namespace, label_selector="parity=even")
    assert names(cluster.core.list_namespaced_config_map(namespace, label_selector="parity")) == ["c1", "c3"]


def test_plain_text_of_a_secret_is_stored_encoded(cluster: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "s"}, "stringData": {"word": "sesame"}}
    made = cluster.core.create_namespaced_secret(namespace, body)
    assert (dict(made.data), made.string_data) == ({"word": "c2VzYW1l"}, None) or dict(made.data) == {"word": b"sesame"}


def test_the_admin_may_do_everything(cluster: Cluster) -> None:
    reviews = client.AuthorizationV1Api(cluster.api)
    body = {"spec": {"resourceAttributes": {"verb": "create", "resource": "pods"}}}
    assert reviews.create_self_subject_access_review(body).status.allowed
