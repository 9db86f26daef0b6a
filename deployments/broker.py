"""This process's line to Redis. Nothing depends on it: whoever asks goes on without an answer."""

from __future__ import annotations

import logging
from functools import cache

import redis
from django.conf import settings

log = logging.getLogger(__name__)

#: KEYS: the office. ARGV: who, for how many milliseconds. 1 where nobody else holds it.
LEADS = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
RESIGNS = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


def client() -> redis.Redis:
    """One client for all threads; after a fork it opens connections of its own."""
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)


def leads(office: str, who: str, seconds: float) -> bool:
    """Whether `who` may do for all processes what only one needs to do, for so long. Without Redis everybody may."""
    try:
        return bool(client().eval(LEADS, 1, office, who, str(max(1, int(seconds * 1000)))))
    except redis.RedisError as error:
        log.warning("Redis does not say whether another process does the same: %s", error)
        return True


def resign(office: str, who: str) -> None:
    """Leaves it to the next, at once."""
    try:
        client().eval(RESIGNS, 1, office, who)
    except redis.RedisError as error:
        log.warning("Redis was not told that %s is free: %s", office, error)
