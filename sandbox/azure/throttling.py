"""ARM's limits on requests: a bucket for each subscription, identity and kind of request. Off until they are set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sandbox.azure.errors import AzureError
from sandbox.core import Core

KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


@dataclass
class _Bucket:
    level: float
    at: float


class Throttles:
    """Limits by subscription, as `{"reads": {"size", "rate"}, …}`; real seconds, however fast the sandbox is."""

    def __init__(self, core: Core) -> None:
        self._clock = core.clock
        self.limits: dict[str, dict[str, dict[str, float]]] = {}
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}
        #: subscription → kind → how many were let through and how many refused.
        self.counts: dict[str, dict[str, dict[str, int]]] = {}

    def set(self, subscription: str, limits: dict[str, dict[str, float]]) -> None:
        self.limits[subscription] = limits
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if key[0] != subscription}
        self.counts.pop(subscription, None)

    def check(self, subscription: str, identity: str, method: str) -> None:
        """Counts the request; refuses it when the bucket is empty, with when to come again."""
        kind = KINDS.get(method, "writes")
        counts = self.counts.setdefault(subscription, {}).setdefault(kind, {"passed": 0, "refused": 0})
        limit = self.limits.get(subscription, {}).get(kind)
        wait = self._take((subscription, identity, kind), limit) if limit else 0.0
        counts["refused" if wait else "passed"] += 1
        if wait:
            seconds = math.ceil(wait)
            raise AzureError(
                429,
                "SubscriptionRequestsThrottled",
                f"Number of requests for subscription '{subscription}' and operation '{kind}' exceeded the backend "
                f"storage limit. Please try again after '{seconds}' seconds.",
                headers={"retry-after": str(seconds)},
            )

    def _take(self, key: tuple[str, str, str], limit: dict[str, float]) -> float:
        now, size, rate = self._clock.now(), limit["size"], limit["rate"]
        bucket = self._buckets.setdefault(key, _Bucket(size, now))
        bucket.level, bucket.at = min(size, bucket.level + (now - bucket.at) * rate), now
        if bucket.level < 1:
            return max((1 - bucket.level) / rate, 0.001)
        bucket.level -= 1
        return 0.0


def of(core: Core) -> Throttles:
    throttles: Any = core.services.setdefault("azure.throttling", Throttles(core))
    assert isinstance(throttles, Throttles)
    return throttles
