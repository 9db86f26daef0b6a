"""Each wrong setting fails where and as it does in reality (docs/sandbox.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.sandbox.hubs.hub import Hub, phases, until

Install = Callable[..., Hub]
NO_USER = "Failed to create temporary user for "


def binder(**settings: Any) -> dict[str, Any]:
    return {"config": {"BinderHub": settings}}


def message(events: list[dict[str, Any]]) -> str:
    assert events[-1]["phase"] == "failed"
    return str(events[-1].get("message") or events[-2].get("message"))


def test_a_wrong_registry_password_fails_health_and_the_push(install: Install) -> None:
    hub = install({"registry": {"password": "wrong"}})
    assert hub.health() == (503, {"Docker registry": False, "JupyterHub API": True, "Pod quota": True})
    events = hub.launch()
    assert phases(events) == ["waiting", "fetching", "building", "pushing", "failed"]
    assert message(events) == "unauthorized: incorrect username or password\n"


def test_a_namespace_that_is_not_ours_fails_only_at_the_push(install: Install) -> None:
    hub = install(binder(image_prefix="somebodyelse/binder-"))
    assert hub.health()[0] == 200
    assert message(hub.launch()) == "denied: requested access to the resource is denied\n"


def test_the_registry_url_of_the_docs_is_not_docker_hub(install: Install) -> None:
    hub = install({"registry": {"url": "https://index.docker.io/v1"}})
    assert hub.health()[1]["Docker registry"] is False
    assert message(hub.launch()) == "denied: requested access to the resource is denied\n"


def test_without_a_registry_images_stay_on_the_node(install: Install) -> None:
    hub = install(binder(use_registry=False))
    assert "Docker registry" not in hub.health()[1]
    assert "pushing" not in phases(hub.launch())
    assert phases(hub.launch()) == ["built", "launching", "ready"]


def test_the_hosts_builder_hangs_for_want_of_a_docker_socket(install: Install) -> None:
    hub = install({"imageBuilderType": "host"})
    events = hub.events()
    assert next(events)["phase"] == "waiting"
    found = until(lambda: [e for e in hub.cluster.objects("events", hub.name) if e["reason"] == "FailedMount"], "event")
    assert "/var/run/docker.sock is not a socket file" in found[0]["message"]
    assert list(events) == [{"phase": "failed"}]  # four hours later, when BinderHub clears old build pods


def test_a_build_waits_for_the_builders_own_pod(install: Install) -> None:
    hub = install(wait="")
    hub.cluster.symptom(hub.name, f"{hub.name}-dind", "ImagePullBackOff")
    hub.wait()
    events = hub.events()
    assert next(events)["phase"] == "waiting"
    until(lambda: hub.pods("build-"), "the build's pod")
    hub.cluster.heal()
    assert next(events)["phase"] == "fetching"


def test_a_missing_hub_url_starts_a_server_that_nobody_can_find(install: Install) -> None:
    hub = install(binder(hub_url=None))
    assert hub.launch()[-1]["url"].startswith("user/binder-examples-requirements-")


def test_a_wrong_hub_url_sends_people_elsewhere(install: Install) -> None:
    hub = install(binder(hub_url="http://wrong.example.org"))
    assert hub.launch()[-1]["url"].startswith("http://wrong.example.org/user/")


def test_no_hub_url_at_all_fails_the_launch(install: Install) -> None:
    hub = install(binder(hub_url=None, hub_url_local=None))
    assert hub.health()[1]["JupyterHub API"] is False
    last = hub.launch()[-1]
    assert (last["phase"], last["status_code"]) == ("failed", 500)


def test_a_wrong_inner_hub_url_fails_health_and_the_launch(install: Install) -> None:
    hub = install(binder(hub_url_local="http://proxy-privat/"))
    assert hub.health() == (503, {"Docker registry": True, "JupyterHub API": False, "Pod quota": True})
    events = hub.launch()
    assert message(events).startswith(NO_USER)
    assert [e for e in events if e["message"] == "Launch attempt 3 failed, retrying...\n"]


def test_with_https_the_inner_address_must_be_the_inner_service(install: Install) -> None:
    https = {
        "proxy": {"https": {"enabled": True, "hosts": ["a.example"], "letsencrypt": {"contactEmail": "a@b.example"}}}
    }
    hub = install({"jupyterhub": https}, wait="").over_https(verify=False)
    hub.wait()
    assert hub.health()[1]["JupyterHub API"] is False
    hub.install({"jupyterhub": https} | binder(hub_url_local="http://proxy-http:8000/"))
    until(lambda: hub.status("services/binder/versions") == 200 and hub.health()[1]["JupyterHub API"], "health is back")


def test_a_token_that_the_hub_does_not_know_fails_only_the_launch(install: Install) -> None:
    hub = install(binder(hub_api_token="0" * 64))
    assert hub.health()[0] == 200
    assert message(hub.launch()).startswith(NO_USER)


def test_a_binder_without_the_right_to_make_users_fails_the_launch(install: Install) -> None:
    hub = install({"jupyterhub": {"hub": {"loadRoles": {"binder": {"scopes": ["servers"]}}}}})
    assert message(hub.launch()).startswith(NO_USER)


def test_a_binder_that_does_not_live_under_its_services_path_is_not_found(install: Install) -> None:
    hub = install(binder(base_url="/"), wait="hub/health")
    until(lambda: hub.status("services/binder/health") == 404, "404 once the binder is up")


def test_a_binder_that_is_no_service_of_the_hub_is_not_found(install: Install) -> None:
    hub = install({"jupyterhub": {"hub": {"services": {"binder": {"url": None}}}}}, wait="hub/health")
    assert hub.status("services/binder/health") == 404


def test_a_hub_that_is_not_ready_answers_503(install: Install) -> None:
    hub = install()
    hub.cluster.symptom(hub.name, "hub-", "NotReady")
    hub.wait("hub/api", 503)
    assert hub.status("services/binder/versions") == 200


def test_a_binder_that_is_not_ready_answers_503(install: Install) -> None:
    hub = install()
    hub.cluster.symptom(hub.name, "binder-", "NotReady")
    hub.wait("services/binder/health", 503)


def test_a_proxy_that_is_not_ready_answers_503_everywhere(install: Install) -> None:
    hub = install()
    hub.cluster.symptom(hub.name, "proxy-", "NotReady")
    hub.wait("hub/api", 503)


def test_nothing_listens_once_the_release_is_gone(install: Install) -> None:
    hub = install()
    hub.uninstall()
    hub.wait("hub/health", 0)
    hub.install({})
    hub.wait()


def test_a_stopped_cluster_answers_nothing(install: Install) -> None:
    hub = install()
    power = f"kubernetes/clusters/{hub.cluster.key}/power"
    hub.cluster.sandbox.control(power, {"running": False})
    hub.wait("hub/health", 0)
    hub.cluster.sandbox.control(power, {"running": True})
    hub.wait()


def test_a_wrong_registry_password_put_right_by_an_upgrade_heals_the_hub(install: Install) -> None:
    hub = install({"registry": {"password": "wrong"}})
    assert hub.health()[0] == 503
    hub.install({})
    until(lambda: hub.status("services/binder/health") == 200, "health after the upgrade")
    assert httpx.get(f"{hub.binder}health").json()["ok"]
