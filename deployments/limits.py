"""Azure's limits, shared by all processes and machines over Redis; without it each process keeps to them by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import redis
from django.conf import settings

from cloud.azure.limits import KEPT, Kind, Limits, LocalLedger, Rate
from deployments import broker

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

#: Redis that did not answer is asked again after so long (seconds).
SILENCE = 5.0
#: The same as LocalLedger.begin. KEYS: bucket, pause. ARGV: who, gap, slack, cost, for how long a place is kept.
BEGIN = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local start = math.max(now, tonumber(redis.call('GET', KEYS[2]) or '0'))
local mine = 'place:' .. ARGV[1]
local place = tonumber(redis.call('HGET', KEYS[1], mine) or '0')
if place <= now - tonumber(ARGV[5]) then
  local promised = math.max(tonumber(redis.call('HGET', KEYS[1], 'promised') or '0'), start)
  place = math.max(start, promised - tonumber(ARGV[3]))
  promised = promised + tonumber(ARGV[4]) * tonumber(ARGV[2])
  redis.call('HSET', KEYS[1], 'promised', string.format('%.6f', promised), mine, string.format('%.6f', place))
end
redis.call('EXPIRE', KEYS[1], 3600)
local wait = math.max(place, start) - now
if wait > 0 then return string.format('%.6f', wait) end
redis.call('HDEL', KEYS[1], mine)
return '0'
"""
#: KEYS: pause, then buckets. ARGV: seconds, then the slack of each bucket.
PAUSE = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local til = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now + tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.6f', til), 'PX', math.ceil((til - now) * 1000))
for number = 2, #KEYS do
  local promised = tonumber(redis.call('HGET', KEYS[number], 'promised') or '0')
  redis.call('DEL', KEYS[number])
  promised = math.max(promised, til + tonumber(ARGV[number]))
  redis.call('HSET', KEYS[number], 'promised', string.format('%.6f', promised))
  redis.call('EXPIRE', KEYS[number], 3600)
end
"""


class SharedLedger:
    """The buckets in Redis; where that does not answer, this process's own."""

    def __init__(self) -> None:
        self._own = LocalLedger()
        self._silent_until = float("-inf")

    def begin(self, subscription: str, kind: Kind, rate: Rate, who: str, cost: float) -> float:
        given = (who, rate.gap, rate.slack, cost, KEPT)
        keys = (_bucket(subscription, kind), _pause(subscription))
        return self._try(
            lambda client: float(client.eval(BEGIN, len(keys), *keys, *map(str, given))),
            lambda: self._own.begin(subscription, kind, rate, who, cost),
        )

    def settle(self, subscription: str, kind: Kind, rate: Rate, cost: float) -> None:
        self._try(
            lambda client: client.hincrbyfloat(_bucket(subscription, kind), "promised", cost * rate.gap),
            lambda: self._own.settle(subscription, kind, rate, cost),
        )

    def pause(self, subscription: str, rates: Mapping[Kind, Rate], seconds: float) -> None:
        keys = [_pause(subscription), *(_bucket(subscription, kind) for kind in rates)]
        given = [seconds, *(rate.slack for rate in rates.values())]
        self._own.pause(subscription, rates, seconds)  # also should Redis be lost meanwhile
        self._try(lambda client: client.eval(PAUSE, len(keys), *keys, *map(str, given)), lambda: None)

    def paused(self, subscription: str) -> float:
        return self._try(
            lambda client: max(float(client.pttl(_pause(subscription))), 0.0) / 1000,
            lambda: self._own.paused(subscription),
        )

    def _try(self, shared: Callable[[Any], Answer], own: Callable[[], Answer]) -> Answer:
        if time.monotonic() < self._silent_until:
            return own()
        try:
            return shared(broker.client())
        except redis.RedisError as error:
            self._silent_until = time.monotonic() + SILENCE
            log.warning("Azure's limits are kept by this process alone for a while: %s", error)
            return own()


def limits() -> Limits:
    """As the settings say."""
    rates: dict[Kind, Rate] = {
        "read": Rate.of(settings.SLIPWAY_AZURE_READS),
        "write": Rate.of(settings.SLIPWAY_AZURE_WRITES),
        "delete": Rate.of(settings.SLIPWAY_AZURE_DELETES),
    }
    return Limits(rates, SharedLedger())


def _bucket(subscription: str, kind: Kind) -> str:
    return f"slipway:azure:{subscription}:{kind}"


def _pause(subscription: str) -> str:
    return f"slipway:azure:{subscription}:pause"
