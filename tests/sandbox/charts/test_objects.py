"""The chart makes the objects that the real one makes (facts of the real chart, rendered)."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from typing import Any

import yaml

from tests.sandbox.charts import values
from tests.sandbox.charts.conftest import Chart, Objects

Find = Callable[[Objects, str, str], dict[str, Any]]

KINDS = {
    "Deployment": {"hub", "proxy", "binder", "user-scheduler"},
    "StatefulSet": {"user-placeholder"},
    "DaemonSet": {"demo-image-cleaner", "demo-dind"},
    "Service": {"hub", "proxy-api", "proxy-public", "binder"},
    "PersistentVolumeClaim": {"hub-db-dir"},
    "Secret": {"hub", "binder-secret", "binder-build-docker-config"},
    "ConfigMap": {"hub", "user-scheduler"},
    "NetworkPolicy": {"hub", "proxy", "singleuser"},
    "PodDisruptionBudget": {"binderhub", "user-scheduler", "user-placeholder"},
    "ServiceAccount": {"hub", "user-scheduler", "binderhub", "demo-image-cleaner"},
    "Role": {"hub", "binderhub"},
    "RoleBinding": {"hub", "binderhub"},
    "ClusterRole": {"demo-user-scheduler", "demo-image-cleaner"},
    "ClusterRoleBinding": {"demo-user-scheduler", "demo-image-cleaner"},
}


def secret(objects: Objects, find: Find, name: str, key: str) -> str:
    return base64.b64decode(find(objects, "Secret", name)["data"][key]).decode()


def test_a_hub_is_made_of_the_same_objects_as_the_real_one(chart: Chart) -> None:
    objects = chart.render({"imageBuilderType": "dind"})
    made = {
        kind: {o["metadata"]["name"] for o in objects if o["kind"] == kind} for kind in {o["kind"] for o in objects}
    }
    assert made == KINDS
    assert len(objects) == sum(map(len, KINDS.values()))


def test_https_adds_the_autohttps_pod_and_an_inner_service(chart: Chart, find: Find) -> None:
    objects = chart.render(values.one_address())
    added = Counter(o["kind"] for o in objects if o["metadata"]["name"] in {"autohttps", "proxy-http"})
    assert added == Counter(
        ConfigMap=1, Deployment=1, Service=1, ServiceAccount=1, Role=1, RoleBinding=1, NetworkPolicy=1
    )
    public = find(objects, "Service", "proxy-public")["spec"]
    assert public["selector"]["component"] == "autohttps"
    assert [port["name"] for port in public["ports"]] == ["https", "http"]


def test_the_dns_label_reaches_the_public_service(chart: Chart, find: Find) -> None:
    service = find(chart.render(values.one_address()), "Service", "proxy-public")
    assert service["metadata"]["annotations"]["service.beta.kubernetes.io/azure-dns-label-name"] == "demo-a1b2c3"


def test_pods_are_found_by_the_selectors_of_their_workloads(chart: Chart) -> None:
    for item in chart.render(values.one_address()):
        if item["kind"] in {"Deployment", "DaemonSet", "StatefulSet"}:
            labels = item["spec"]["template"]["metadata"]["labels"]
            assert item["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_every_service_finds_the_pods_of_a_workload(chart: Chart) -> None:
    objects = chart.render(values.one_address())
    pods = [o["spec"]["template"]["metadata"]["labels"] for o in objects if "template" in o.get("spec", {})]
    for service in (o for o in objects if o["kind"] == "Service"):
        selector = service["spec"]["selector"].items()
        assert any(selector <= labels.items() for labels in pods), service["metadata"]["name"]


def test_the_hub_secret_carries_tokens_and_the_values_themselves(chart: Chart, find: Find) -> None:
    objects = chart.render(values.one_address())
    assert secret(objects, find, "hub", "hub.services.binder.apiToken") == "a" * 64
    assert secret(objects, find, "hub", "hub.config.ConfigurableHTTPProxy.auth_token") == "b" * 64
    told = yaml.safe_load(secret(objects, find, "hub", "values.yaml"))
    assert told["hub"]["config"]["JupyterHub"]["default_url"] == "/services/binder/"
    assert told["Release"] == {"Name": "demo", "Namespace": "demo", "Service": "Helm"}


def test_tokens_that_were_not_given_are_generated(chart: Chart, find: Find) -> None:
    objects = chart.render({})
    assert len(secret(objects, find, "hub", "hub.services.binder.apiToken")) == 64
    assert len(secret(objects, find, "hub", "hub.config.JupyterHub.cookie_secret")) == 64


def test_the_push_secret_is_for_docker_hub_when_no_registry_is_named(chart: Chart, find: Find) -> None:
    config = yaml.safe_load(
        secret(chart.render(values.one_address()), find, "binder-build-docker-config", "config.json")
    )
    auth = base64.b64encode(b"slipwaydemo:dckr_pat_demo").decode()
    assert config == {"auths": {"https://index.docker.io/v1/": {"auth": auth}}}


def test_the_binder_is_probed_below_its_base_url(chart: Chart, find: Find) -> None:
    pod = find(chart.render(values.one_address()), "Deployment", "binder")["spec"]["template"]["spec"]
    assert pod["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/services/binder/versions"


def test_sign_in_tells_the_binder_where_the_hub_is(chart: Chart, find: Find) -> None:
    pod = find(chart.render(values.github_sign_in()), "Deployment", "binder")["spec"]["template"]["spec"]
    environment = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    assert environment["JUPYTERHUB_API_URL"] == "http://proxy-http:8000/hub/api/"
    assert environment["JUPYTERHUB_CLIENT_ID"] == "service-binderhub"


def test_a_whole_hub_asks_for_less_than_the_smallest_node_has(chart: Chart) -> None:
    requests = [
        container.get("resources", {}).get("requests", {})
        for item in chart.render(values.one_address())
        if item["kind"] in {"Deployment", "DaemonSet"}
        for container in item["spec"]["template"]["spec"]["containers"]
    ]
    assert sum(float(request.get("cpu", 0)) for request in requests) < 1


def test_helm_lint_has_nothing_to_say(chart: Chart) -> None:
    done = chart.run("lint", values.one_address())
    assert done.returncode == 0, done.stdout + done.stderr
