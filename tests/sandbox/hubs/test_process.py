"""The sandbox as a process: what stays after a kill, and hubs switched off."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx

from tests.sandbox.hubs.hub import Cluster, Hub, until
from tests.sandbox_process import SandboxProcess


def test_a_launched_server_answers_after_the_sandbox_was_killed(tmp_path: Path, archive: Path) -> None:
    with SandboxProcess(tmp_path, speed=2000) as sandbox:
        hub = Hub(Cluster(sandbox, "kept", tmp_path), archive, "kept")
        hub.install({})
        hub.wait()
        ready = hub.launch()[-1]
        sandbox.kill()
        sandbox.start()
        hub.wait()
        headers = {"Authorization": f"token {ready['token']}"}
        until(lambda: httpx.get(f"{ready['url']}api", headers=headers).status_code == 200, "the server answers")
        assert hub.launch()[0]["phase"] == "built"


def test_hubs_can_be_switched_off(tmp_path: Path, archive: Path) -> None:
    with SandboxProcess(tmp_path, speed=2000, SANDBOX_HUBS="off") as sandbox:
        cluster = Cluster(sandbox, "quiet", tmp_path)
        hub = Hub(cluster, archive, "quiet")
        hub.install({})
        until(lambda: "127." in json.dumps(cluster.objects("services", "quiet")), "the address")
        assert hub.status("hub/health") == 0


def test_it_stops_at_once_though_people_are_still_connected(tmp_path: Path, archive: Path) -> None:
    with SandboxProcess(tmp_path, speed=2000) as sandbox:
        cluster = Cluster(sandbox, "busy", tmp_path)
        hub = Hub(cluster, archive, "busy")
        hub.install({"imageBuilderType": "host"})
        hub.wait()
        idle = httpx.Client(verify=cluster.trust, trust_env=False)
        idle.get(f"{sandbox.origin}/_sandbox/healthz")
        headers = {"Accept": "text/event-stream"}
        with httpx.stream("GET", f"{hub.binder}build/gh/binder-examples/requirements/HEAD", headers=headers) as stream:
            next(stream.iter_lines())  # a build that waits for ever
            asked = time.monotonic()
            sandbox.stop()
            assert time.monotonic() - asked < 1  # 0.3 s on a machine with nothing else to do
    assert "Traceback" not in sandbox.errors


def test_what_people_do_on_a_hub_is_in_the_journal(good: Hub) -> None:
    httpx.post(f"{good.url}hub/api/users/nobody")
    written = good.cluster.sandbox.control("journal")
    assert any(entry["area"] == "hubs" and entry["path"].endswith("/hub/api/users/nobody") for entry in written)
