"""The processes of docker-compose.yml, run by hand, with one web and one worker killed in the middle of a run."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import redis

from bootstrap.machine import ROOT
from deployments import metering
from tests.bootstrap.machines import WEBS, WORKERS, Machines
from tests.sandbox_process import trusting


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with Machines(tmp_path_factory.mktemp("machines")) as running:
        yield running


@pytest.fixture(scope="module")
def visitor(machines: Machines) -> Iterator[httpx.Client]:
    """The researcher's, at the proxy."""
    trust = trusting(machines.home / "ca.pem")
    with httpx.Client(base_url=machines.address, verify=trust, trust_env=False, timeout=30) as client:
        client.get("/sign-in/")
        form = {"username": "researcher", "password": machines.passwords["researcher"]}
        form["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
        answer = client.post("/sign-in/", data=form, headers={"Referer": f"{machines.address}/sign-in/"})
        assert answer.status_code == 302, answer.text
        yield client


class Reader(threading.Thread):
    """A browser's live log: reconnects wherever the proxy leads it, and goes on after the last line it has."""

    def __init__(self, visitor: httpx.Client, operation: str) -> None:
        super().__init__(daemon=True)
        self.visitor, self.operation = visitor, operation
        self.numbers: list[int] = []
        self.connections, self.last, self.end = 0, "", None

    def run(self) -> None:
        until = time.monotonic() + 300
        while self.end is None and time.monotonic() < until:
            try:
                self._listen()
            except httpx.HTTPError:
                time.sleep(0.2)

    def _listen(self) -> None:
        headers = {"Last-Event-ID": self.last} if self.last else {}
        with self.visitor.stream("GET", f"/operations/{self.operation}/stream", headers=headers) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            self.connections += 1
            kind = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                kind = value if name == "event" else kind
                self.last = value if name == "id" else self.last
                if name == "data" and kind == "line":
                    self.numbers.append(json.loads(value)["number"])
                if name == "data" and kind == "end":
                    self.end = json.loads(value)
                    return


def test_a_hub_is_built_and_taken_down_though_a_web_and_a_worker_die(machines: Machines, visitor: httpx.Client) -> None:
    queue = redis.Redis.from_url(machines.secret("redis_url"))
    program = [sys.executable, "manage.py", "demo", "--patience", "240"]
    with subprocess.Popen(
        program, cwd=ROOT, env=machines.env("web-2"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as person:
        operation = _await(lambda: _operation(visitor), "the run begins")
        reader = Reader(visitor, operation)
        reader.start()
        _await(lambda: len(reader.numbers) > 5, "lines arrive")
        _await(lambda: bool(_watching(machines, queue)), "a web process tells of its viewer")
        machines.kill(_watching(machines, queue)[0])
        machines.kill(_await(lambda: _working(machines, queue), "a worker moves the run"))
        said = person.communicate(timeout=420)[0]
        assert person.returncode == 0, said[-3000:]
    reader.join(60)
    assert reader.end == {"count": len(reader.numbers), "status": "succeeded"}
    assert reader.numbers == list(range(1, len(reader.numbers) + 1))
    assert reader.connections > 1
    assert "Nothing is left." in said and len(_made_clusters(machines)) == 1


def test_what_died_comes_back_and_serves(machines: Machines, visitor: httpx.Client) -> None:
    gone = [name for name in (*WEBS, *WORKERS) if name not in machines.running()]
    assert {name.partition("-")[0] for name in gone} == {"web", "worker"}
    machines.start(*gone)
    for name in gone:
        kind = name.partition("-")[0]
        port = {"PORT": str(machines.ports[name])} if kind == "web" else {}
        _await(lambda kind=kind, port=port, name=name: machines.is_alive(name, kind, port), f"{name} is alive")
    assert machines.is_alive("scheduler", "scheduler", {})


def test_the_doctor_finds_nothing_to_mend(machines: Machines) -> None:
    for name, more in (("web-1", []), ("worker-1", ["--here"])):
        done = machines.run(name, "manage.py", "doctor", "--json", *more)
        found = json.loads(done.stdout)
        assert [each for each in found if each["level"] == "error"] == [], done.stderr
        told = {each["part"]: each for each in found if each["level"] == "ok"}
        assert {"settings", "database", "queue", "scheduler", "workers", "clock", "helm"} <= set(told)
        assert {"worker's identity", "subscriptions"} <= set(told)
        assert ("web's identity" in told) is not bool(more)


def test_a_queue_that_is_killed_comes_back_with_what_it_had(machines: Machines) -> None:
    queue = redis.Redis.from_url(machines.secret("redis_url"))
    queue.set("kept", "yes")
    time.sleep(1.1)  # appendfsync everysec: a machine's crash may lose that second, a process's none
    machines.kill("redis")
    machines.start("redis")
    assert _await(lambda: _asked(queue, "kept"), "the queue has read its file") == b"yes"


def test_the_queue_wants_its_password(machines: Machines) -> None:
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=machines.ports["redis"]).ping()


def test_the_proxy_sends_plain_http_to_https(machines: Machines) -> None:
    answer = httpx.get(f"http://localhost:{machines.ports['http']}/review/", trust_env=False)
    assert answer.status_code == 308 and answer.headers["location"].startswith("https://localhost")


def test_answers_through_the_proxy_are_safe_and_tell_nothing_of_what_serves(visitor: httpx.Client) -> None:
    answer = visitor.get("/")
    assert answer.status_code == 200
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers
    cookies = [cookie for cookie in visitor.cookies.jar if cookie.name == "slipway_session"]
    assert cookies and all(cookie.secure for cookie in cookies)


def test_what_a_visitor_claims_to_have_come_by_is_thrown_away(machines: Machines, visitor: httpx.Client) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Request-ID": "claimed-by-visitor"}
    answer = visitor.get("/nowhere/", headers=claimed)
    assert answer.status_code == 404  # and no redirect to https
    number = answer.headers["x-request-id"]
    line = _await(lambda: _logged(machines, "web", request_id=number, logger="slipway.access"), "it is logged")
    assert line["client"] == "127.0.0.1" and number != "claimed-by-visitor"


def test_figures_are_for_who_brings_the_token(machines: Machines, visitor: httpx.Client) -> None:
    assert visitor.get("/metrics").status_code == 404
    assert visitor.get("/metrics", headers={"Authorization": "Bearer wrong-wrong-wrong"}).status_code == 401
    token = {"Authorization": f"Bearer {machines.secret('metrics_token')}"}
    text = visitor.get("/metrics", headers=token).text
    assert "slipway_database_up 1.0" in text and "slipway_redis_up 1.0" in text and "slipway_schedulers 1.0" in text
    assert re.search(r'slipway_runs\{kind="teardown",status="succeeded"\} 1\.0', text)
    calls = {match[1] for match in re.finditer(r'slipway_outside_calls_total\{code="\w+",service="([\w-]+)"\}', text)}
    assert {"arm", "entra", "vault", "kubernetes", "helm", "hub", "docker-hub"} <= calls
    done = re.findall(r'slipway_step_seconds_count\{kind="\w+",state="done",step="([\w-]+)"\} 1\.0', text)
    assert len(done) > 12  # the killed worker may have taken some along


def test_every_line_of_web_worker_and_scheduler_is_json_without_a_secret(machines: Machines) -> None:
    hidden = [machines.secret(path.name) for path in (machines.home / "secrets").iterdir()]
    hidden = [*(text for text in hidden if text), "dckr_pat_demo"]
    for name in (*WEBS, *WORKERS, "scheduler"):
        lines = machines.log(name).splitlines()
        assert [line for line in lines if not isinstance(json.loads(line), dict)] == []
        assert [text for text in hidden if any(text in line for line in lines)] == []


def test_a_workers_lines_say_which_run_hub_and_step_they_are_about(machines: Machines) -> None:
    told = [json.loads(line) for name in WORKERS for line in machines.log(name).splitlines()]
    steps = [each for each in told if each["logger"] == "worker.engine" and each.get("step")]
    assert {"proof", "receipt"} <= {each["step"] for each in steps}
    assert all(re.fullmatch(r"[0-9a-f-]{36}", each["operation"]) and each["deployment"] for each in steps)
    assert len({each["operation"] for each in steps}) == 2 and len({each["deployment"] for each in steps}) == 1


def test_nothing_of_this_was_an_error(machines: Machines) -> None:
    for name in (*WORKERS, "scheduler"):
        told = [json.loads(line) for line in machines.log(name).splitlines()]
        bad = [each for each in told if each["level"] in ("error", "critical")]
        # The queue's server was killed, and RQ says so while it waits for it.
        assert [each for each in bad if "could not connect to Redis" not in each["event"]] == []


def test_told_to_stop_everything_stops_by_itself(machines: Machines) -> None:
    for name in (*WEBS, *WORKERS, "scheduler"):
        assert machines.stop(name, signal.SIGTERM) in (0, -signal.SIGTERM), name


# --- looking --------------------------------------------------------------------------------------------------------


def _operation(visitor: httpx.Client) -> str:
    """The run of the only hub, as its page links to it."""
    try:
        hub = re.search(r"/hubs/[0-9a-f-]{36}/", visitor.get("/").text)
        found = re.search(r"/operations/([0-9a-f-]{36})/", visitor.get(hub[0]).text) if hub else None
    except httpx.HTTPError:
        return ""
    return found[1] if found else ""


def _watching(machines: Machines, queue: redis.Redis) -> list[str]:
    """Which web processes tell of an open live log."""
    told = [
        raw.decode().rpartition(":")[2] for raw, value in queue.hgetall(metering.LEVELS).items() if value[:1] != b"0"
    ]
    return [name for name in WEBS if name in machines.running() and str(machines.pid(name)) in told]


def _working(machines: Machines, queue: redis.Redis) -> str:
    """Which worker has a job in hand."""
    from rq import Worker

    busy = {worker.pid for worker in Worker.all(connection=queue) if worker.get_state() == "busy"}
    return next((name for name in WORKERS if name in machines.running() and machines.pid(name) in busy), "")


def _made_clusters(machines: Machines) -> list[dict[str, Any]]:
    cluster = re.compile(r".*/managedClusters/[^/]+", re.IGNORECASE)
    rows = machines.sandbox.control("journal")
    return [row for row in rows if row["method"] == "PUT" and row["status"] == 201 and cluster.fullmatch(row["path"])]


def _logged(machines: Machines, kind: str, **wanted: str) -> dict[str, Any] | None:
    for name in (name for name in (*WEBS, *WORKERS) if name.startswith(kind)):
        for text in machines.log(name).splitlines():
            line: dict[str, Any] = json.loads(text)
            if all(line.get(key) == value for key, value in wanted.items()):
                return line
    return None


def _asked(queue: redis.Redis, key: str) -> Any:
    try:
        return queue.get(key)
    except redis.RedisError:  # it is still reading
        return None


def _await(true: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    until = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < until, f"it never came to this: {what}"
        time.sleep(0.05)
    return found
