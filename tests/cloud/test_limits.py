"""Azure's limits over the wire: the real SDKs, two subscriptions, one of them throttled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cloud.azure import clusters, groups, vaults
from cloud.azure.limits import Limits, Rate, turn
from cloud.azure.session import AzureSession
from cloud.errors import Queued, Throttled
from cloud.profile import AzureCloud
from tests.sandbox_process import SandboxProcess

BUSY, CALM = "5117a000-0000-4000-8000-00000000c001", "5117a000-0000-4000-8000-00000000c002"
#: What the simulated Azure takes, and what we are told that it takes.
BUCKET = {"size": 12, "rate": 20}
RATES = {"read": Rate(12, 20), "write": Rate(12, 20), "delete": Rate(12, 20)}


@pytest.fixture
def limited(sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """A subscription that takes few requests, and another one that takes any."""
    sandbox.control("azure/limits", {"subscription": BUSY, "reads": BUCKET, "writes": BUCKET, "deletes": BUCKET})
    sandbox.control("azure/limits", {"subscription": CALM})
    yield sandbox
    sandbox.control("azure/limits", {"subscription": BUSY})


@pytest.fixture
def gated(sandbox: SandboxProcess, profile: AzureCloud) -> AzureSession:
    """A session whose requests go through limits of its own."""
    return AzureSession.from_environment(profile, sandbox.worker_env, Limits(RATES))


def counted(sandbox: SandboxProcess, subscription: str, kind: str = "reads") -> dict[str, int]:
    found: dict[str, Any] = sandbox.control("azure/requests")
    return dict(found.get(subscription, {}).get(kind, {"passed": 0, "refused": 0}))


def looked(az: AzureSession, who: str, subscription: str = BUSY) -> float:
    """One hub's look; the seconds that it is told to wait first."""
    try:
        with turn(who):
            groups.get_group(az, subscription, "any")
    except Queued as queued:
        return queued.delay or 0.0
    return 0.0


def test_whoever_asks_without_limits_is_refused(limited: SandboxProcess, az: AzureSession) -> None:
    with pytest.raises(Throttled) as caught:
        for _ in range(40):
            groups.get_group(az, BUSY, "any")
    assert not isinstance(caught.value, Queued)
    assert caught.value.delay == 1.0
    assert counted(limited, BUSY)["refused"] == 1


def test_many_hubs_in_turn_are_never_refused_and_all_are_served(limited: SandboxProcess, gated: AzureSession) -> None:
    due = {f"hub-{number}": 0.0 for number in range(40)}
    while due:
        for who in [who for who, moment in due.items() if moment <= time.monotonic()]:
            wait = looked(gated, who)
            if wait:
                due[who] = time.monotonic() + wait
            else:
                del due[who]
        time.sleep(0.005)
    assert counted(limited, BUSY) == {"passed": 40, "refused": 0}


def test_a_429_stops_that_subscription_for_all_hubs_and_no_other(sandbox: SandboxProcess, gated: AzureSession) -> None:
    sandbox.fault(f"/subscriptions/{BUSY}/", "throttled", headers={"retry-after": "30"})
    with pytest.raises(Throttled), turn("hub-0"):
        groups.get_group(gated, BUSY, "any")
    before = counted(sandbox, BUSY)
    assert all(looked(gated, f"hub-{number}") > 25.0 for number in range(5))
    assert counted(sandbox, BUSY) == before
    assert all(looked(gated, f"calm-{number}", CALM) == 0.0 for number in range(5))


def test_the_other_subscription_goes_on_while_one_waits(limited: SandboxProcess, gated: AzureSession) -> None:
    waits = [looked(gated, f"busy-{number}") for number in range(30)]
    assert waits[0] == 0.0
    assert waits[-1] > 0.5
    assert looked(gated, "calm", CALM) == 0.0
    assert counted(limited, BUSY)["refused"] == 0


def test_pages_and_plain_requests_go_through_the_same_gate(limited: SandboxProcess, gated: AzureSession) -> None:
    gated.limits = Limits({"read": Rate(1, 0.001), "write": Rate(1, 1), "delete": Rate(1, 1)})
    with turn("first"):
        vaults.list_deleted_vaults(gated, BUSY)
    with pytest.raises(Queued), turn("second"):
        clusters.cluster_states(gated, BUSY)


def test_who_has_no_turn_waits_by_itself(limited: SandboxProcess, gated: AzureSession) -> None:
    for _ in range(20):
        groups.get_group(gated, BUSY, "any")
    assert counted(limited, BUSY)["refused"] == 0
