"""A hub with nothing wrong."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import httpx

from tests.sandbox.hubs.hub import Hub, phases, until


def authorised(token: str) -> dict[str, str]:
    return {"Authorization": f"token {token}"}


def test_the_address_leads_to_the_binder(good: Hub) -> None:
    assert str(httpx.get(good.url, follow_redirects=True).url) == good.binder


def test_health_names_its_three_checks(good: Hub) -> None:
    assert good.health() == (200, {"Docker registry": True, "JupyterHub API": True, "Pod quota": True})


def test_versions_and_metrics_answer(good: Hub) -> None:
    assert "binderhub" in httpx.get(f"{good.binder}versions").json()
    assert "binderhub_inprogress_builds" in httpx.get(f"{good.binder}metrics").text


def test_a_launch_builds_pushes_and_starts_a_server(install: Callable[..., Hub]) -> None:
    hub = install()
    events = hub.launch()
    wanted = ["waiting", "fetching", "building", "pushing", "built", "launching", "ready"]
    assert phases(events) == wanted
    ready = events[-1]
    assert ready["url"].startswith(f"{hub.url}user/binder-examples-requirements-")
    assert ready["repo_url"] == "https://github.com/binder-examples/requirements"
    images = hub.cluster.sandbox.control("dockerhub/images")
    assert ready["image"] in images


def test_the_server_answers_its_token_and_nobody_else(good: Hub) -> None:
    ready = good.launch()[-1]
    assert httpx.get(f"{ready['url']}api").status_code == 403
    assert "version" in httpx.get(f"{ready['url']}api", headers=authorised(ready["token"])).json()
    assert httpx.get(f"{ready['url']}?token={ready['token']}", follow_redirects=True).status_code == 200


def test_a_server_is_a_pod_that_goes_with_its_shutdown(good: Hub) -> None:
    ready = good.launch()[-1]
    name = "jupyter-" + ready["url"].rstrip("/").rsplit("/", 1)[-1]
    assert good.pods(name)
    assert httpx.post(f"{ready['url']}api/shutdown", headers=authorised(ready["token"])).status_code == 200
    assert not good.pods(name)
    assert httpx.get(f"{ready['url']}api", headers=authorised(ready["token"])).status_code == 424


def test_an_image_that_was_pushed_is_not_built_again(good: Hub) -> None:
    good.launch()
    assert phases(good.launch()) == ["built", "launching", "ready"]


def test_two_visitors_watch_one_build(install: Callable[..., Hub]) -> None:
    hub = install()
    seen: list[list[dict[str, object]]] = []
    watchers = [threading.Thread(target=lambda: seen.append(hub.launch())) for _ in range(2)]
    # Held at the door until both are there: a build at this speed is over before a second visitor has come by himself.
    sandbox = hub.cluster.sandbox
    sandbox.fault("/services/binder/build/", "hold", method="GET", count=2)
    for watcher in watchers:
        watcher.start()
    for when in ("before", "after"):
        until(lambda when=when: [one["when"] for one in sandbox.control("held")] == [when] * 2, f"two held {when}")
        sandbox.control("held", {})
    for watcher in watchers:
        watcher.join()
    logs = [[event for event in events if event["phase"] in ("fetching", "building")] for events in seen]
    assert logs[0] == logs[1]
    pushes = [event for event in seen[0] if "Successfully pushed" in str(event["message"])]
    assert len(pushes) == 1


def test_idle_servers_are_culled_with_their_users(install: Callable[..., Hub]) -> None:
    hub = install({"jupyterhub": {"cull": {"timeout": 60}}})
    hub.launch()
    until(lambda: not hub.pods("jupyter-"), "the idle server is gone")


def test_a_full_hub_says_so(install: Callable[..., Hub]) -> None:
    hub = install({"config": {"LaunchQuota": {"total_quota": 0}}})
    assert hub.launch()[-1]["message"] == "Too many users on this BinderHub! Try again soon.\n"


def test_an_unknown_repository_fails_with_binders_sentence(good: Hub) -> None:
    assert good.launch("gh/nobody/nothing/HEAD") == [
        {
            "phase": "failed",
            "message": "Could not resolve ref for gh:nobody/nothing/HEAD."
            " Double check your URL and that your repo is public.\n",
        }
    ]


def test_a_test_may_add_a_repository(good: Hub) -> None:
    good.cluster.sandbox.control("hubs/repositories", {"name": "ada/engine", "refs": ["v1"]})
    assert good.launch("gh/ada/engine/v1")[-1]["repo_url"] == "https://github.com/ada/engine"


def test_a_malformed_name_fails_with_a_hint(good: Hub) -> None:
    assert (
        'Did you mean "binder-examples/requirements/HEAD"?'
        in good.launch("gh/binder-examples/requirements")[0]["message"]
    )


def test_a_request_that_is_no_event_stream_is_refused_inside_a_200(good: Hub) -> None:
    answer = httpx.get(f"{good.binder}build/gh/binder-examples/requirements/HEAD", headers={"Accept": "*/*"})
    assert answer.status_code == 200
    assert '"status_code": 400' in answer.text


def test_the_eleventh_anonymous_launch_in_an_hour_is_refused(install: Callable[..., Hub]) -> None:
    hub = install({"config": {"RateLimiter": {"limit": 10, "period_seconds": 10**8}}})
    answers = [hub.launch("gh/nobody/nothing/HEAD")[0].get("status_code") for _ in range(11)]
    assert answers == [None] * 10 + [429]


def test_the_pages_token_lifts_the_limit(install: Callable[..., Hub]) -> None:
    hub = install({"config": {"RateLimiter": {"limit": 1, "period_seconds": 10**8}}})
    page = httpx.get(f"{hub.binder}v2/gh/nobody/nothing/HEAD").text
    token = re.search(r'"buildToken": "([^"]+)"', page)
    assert token
    for _ in range(3):
        assert "status_code" not in hub.launch("gh/nobody/nothing/HEAD", build_token=token[1])[0]


def test_a_token_for_another_repository_is_refused(good: Hub) -> None:
    page = httpx.get(f"{good.binder}v2/gh/nobody/nothing/HEAD").text
    token = re.search(r'"buildToken": "([^"]+)"', page)
    assert token
    assert good.launch("gh/nobody/other/HEAD", build_token=token[1])[0]["status_code"] == 403


def test_extra_header_html_reaches_the_page(install: Callable[..., Hub]) -> None:
    logo = "<script>window.pageConfig.logoUrl='/logo.svg'</script>"
    hub = install({"config": {"BinderHub": {"extra_header_html": {"10-logo": logo}}}})
    assert logo in httpx.get(hub.binder).text
