"""The chart refuses what the real one refuses, and takes what it takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.charts import values
from tests.sandbox.charts.conftest import Chart


def nested(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


@pytest.mark.parametrize(
    "path",
    [
        "hub",
        "github",
        "build",
        "perRepoQuota",
        "nginx-ingress",
        "registry.prefix",
        "registry.enabled",
        "registry.host",
        "registry.authHost",
        "registry.tokenUrl",
        "ingress.host",
        "jupyterhub.auth",
        "jupyterhub.hub.baseurl",
        "jupyterhub.proxy.service.dnsLabel",
        "jupyterhub.proxy.https.email",
        "jupyterhub.cull.timeOut",
        "jupyterhub.singleuser.storage.size",
        "jupyterhub.scheduling.userScheduler.count",
        "jupyterhub.prePuller.enabled",
    ],
)
def test_the_schema_refuses_an_unknown_key(chart: Chart, path: str) -> None:
    refusal = chart.refusal(nested(path, {}))
    assert f"additional properties '{path.rsplit('.', 1)[-1]}' not allowed" in refusal


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("imageBuilderType", "kaniko"),
        ("replicas", "three"),
        ("ingress.annotations", {"https": {"enabled": True}}),
        ("jupyterhub.hub.config", {"jupyterHub": {}}),
        ("jupyterhub.proxy.service.type", "Public"),
        ("jupyterhub.proxy.https.hosts", "demo.example.org"),
        ("jupyterhub.cull.timeout", "1h"),
        ("jupyterhub.singleuser.storage.type", "nfs"),
    ],
)
def test_the_schema_refuses_a_value_of_the_wrong_kind(chart: Chart, path: str, value: Any) -> None:
    assert "values don't meet the specifications of the schema" in chart.refusal(nested(path, value))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("dind.enabled", True, "imageBuilderType: dind"),
        ("cors.allowOrigin", "*", "config.BinderHub.cors_allow_origin"),
        ("jupyterhub.rbac.enabled", False, "rbac.create"),
    ],
)
def test_the_templates_say_what_replaced_an_old_setting(chart: Chart, path: str, value: Any, sentence: str) -> None:
    assert sentence in chart.refusal(nested(path, value))


def test_sign_in_without_a_hub_url_fails_as_in_the_real_chart(chart: Chart) -> None:
    settings = values.github_sign_in()
    del settings["config"]["BinderHub"]["hub_url"]
    del settings["config"]["BinderHub"]["hub_url_local"]
    assert "expected string" in chart.refusal(settings)


def test_https_asks_for_a_contact_address(chart: Chart) -> None:
    settings = values.one_address()
    del settings["jupyterhub"]["proxy"]["https"]["letsencrypt"]
    assert "contactEmail is a required field" in chart.refusal(settings)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("registry", {"url": "https://reg.azurecr.io", "username": "u", "password": "p"}),
        ("config.BinderHub.extra_header_html", {"10-logo": "<script></script>"}),
        ("config.LaunchQuota.total_quota", 10),
        ("extraFiles", {"page.html": {"mountPath": "/etc/binderhub/page.html", "stringData": "<html></html>"}}),
        ("ingress", {"enabled": True, "ingressClassName": "nginx", "hosts": ["binder.example.org"]}),
        ("jupyterhub.ingress", {"enabled": True, "hosts": ["hub.example.org"]}),
        ("httpRoute", {"enabled": True, "parentRefs": [{"kind": "Gateway", "name": "front"}]}),
        ("initContainers", [{"name": "git-clone", "image": "alpine/git", "args": ["clone"]}]),
        ("jupyterhub.singleuser.storage", {"type": "dynamic", "homeMountPath": "/home/jovyan/p", "capacity": "2Gi"}),
        ("jupyterhub.singleuser.memory", {"limit": "2G", "guarantee": "1G"}),
        ("jupyterhub.cull", {"timeout": 600, "every": 60, "maxAge": 21600}),
        ("jupyterhub.scheduling.podPriority.enabled", True),
        ("jupyterhub.scheduling.userPlaceholder.replicas", 2),
        (
            "jupyterhub.hub.extraEnv",
            {"PLAIN": "1", "FROM": {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}},
        ),
    ],
)
def test_the_chart_takes_what_the_real_one_takes(chart: Chart, path: str, value: Any) -> None:
    assert chart.render(nested(path, value))
