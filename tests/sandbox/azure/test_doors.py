"""What happens at the sandbox's door: recording, cut connections, silence, and tokens refused for good."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from azure.core.exceptions import ServiceResponseError

from tests.sandbox.azure.conftest import World
from tests.sandbox_process import trusting

SECOND = httpx.Timeout(1.0)


@pytest.fixture(autouse=True)
def without_faults(world: World) -> Iterator[None]:
    yield
    world.process.clear_faults()
    world.process.control("recording", method="DELETE")


def test_a_recording_has_reads_too_with_their_door_and_sender(world: World) -> None:
    world.process.control("recording", {})
    last = max((row["number"] for row in world.process.control("recording")), default=0)
    world.http.get("/github-api/user", headers={"user-agent": "somebody/1"})
    world.groups.resource_groups.check_existence("any")
    first, *_, second = world.process.control(f"recording?since={last}")
    assert (first["door"], first["method"], first["agent"]) == ("github", "GET", "somebody/1")
    assert (second["door"], second["method"]) == ("azure", "HEAD")
    assert second["agent"].startswith("azsdk-python")


def test_nothing_is_recorded_that_nobody_asked_for(world: World) -> None:
    before = world.process.control("recording")
    world.http.get("/github-api/user")
    assert world.process.control("recording") == before


def test_a_cut_request_gets_no_answer_at_all(world: World) -> None:
    world.process.fault("^/github-api/user", "cut")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        world.http.get("/github-api/user")


def test_a_cut_answer_had_its_effect(own: World) -> None:
    own.process.fault("/resourcegroups/unheard", "cut", method="PUT", before=False)
    with pytest.raises(ServiceResponseError):
        own.group("unheard")
    assert own.groups.resource_groups.get("unheard").name == "unheard"


def test_a_silent_service_keeps_its_client_waiting(world: World) -> None:
    world.process.fault("^/github-api/user", "silent")
    with pytest.raises(httpx.ReadTimeout):
        world.http.get("/github-api/user", timeout=SECOND)


def test_every_connection_can_be_cut_at_once(world: World) -> None:
    world.http.get("/github-api/user")
    assert world.process.control("cut", {})["cut"] >= 1
    world.http.close()
    world.http = httpx.Client(base_url=world.origin, verify=trusting(world.process.ca), trust_env=False)
    assert world.http.get("/github-api/user").status_code == 401


def test_a_fault_can_be_meant_for_one_sender_only(world: World) -> None:
    world.process.fault("^/github-api/user", "unavailable", agent="^(?!Helm)", count=9)
    assert world.http.get("/github-api/user", headers={"user-agent": "Helm/4.0"}).status_code == 401
    assert world.http.get("/github-api/user").status_code == 503


def test_a_token_that_is_refused_stays_refused_and_another_is_taken(own: World) -> None:
    own.process.fault("/resourcegroups/any", "expired-token")
    for _ in range(2):
        with pytest.raises(Exception, match="ExpiredAuthenticationToken"):
            own.groups.resource_groups.get("any")
    own.worker = own.credential("worker")
    own.use(own.subscription)
    with pytest.raises(Exception, match="ResourceGroupNotFound"):
        own.groups.resource_groups.get("any")


def test_the_sdk_answers_a_challenge_of_continuous_access_evaluation_by_itself(own: World) -> None:
    name = own.group()
    own.process.fault(f"/resourcegroups/{name}", "cae", method="GET")
    assert own.groups.resource_groups.get(name).name == name
