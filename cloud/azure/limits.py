"""Azure's limits on requests: each subscription's are shared out between the hubs in it, in turn.

Azure Resource Manager fills a bucket of requests for each subscription, identity and kind of request, at a steady rate,
and answers 429 when it is empty. Here is a bucket like it, which is asked before. A *turn* is one step of one hub: it
waits for its first request of a kind alone, and is told when that may come. Once begun it is not cut off in the middle,
for what it had asked would be asked again. It pays beforehand what turns use to take, and the difference at its end.

A 429 all the same stops that subscription alone, for as long as Azure says.
"""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol

from cloud.errors import Queued

Kind = Literal["read", "write", "delete"]
KINDS: dict[str, Kind] = {"GET": "read", "HEAD": "read", "OPTIONS": "read", "DELETE": "delete"}
SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f-]{36})", re.IGNORECASE)
#: A turn begins only while this share of the bucket is left: the rest is for the turns that have begun.
RESERVE = 0.25
#: A 429 that names no time stops a subscription for so long (seconds).
PAUSE = 2.0
#: Who has no turn (a chore) waits by itself, so long at the most (seconds).
PATIENCE = 30.0
#: A place in the line is kept for so long after its moment (seconds).
KEPT = 60.0
#: How much the last turn counts for what the next one pays.
LEARNS = 0.2


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, and so many a second for ever."""

    burst: float
    per_second: float

    @classmethod
    def of(cls, text: str) -> Rate:
        """`250/25`: a bucket of 250 that fills by 25 a second."""
        burst, _, per_second = text.partition("/")
        rate = cls(float(burst), float(per_second))
        if not (rate.burst >= 1 and rate.per_second > 0):
            raise ValueError(f"{text!r} is no rate: write <requests at once>/<requests a second>")
        return rate

    @property
    def gap(self) -> float:
        return 1.0 / self.per_second

    @property
    def slack(self) -> float:
        """Seconds that a turn may be ahead of the steady rate when it begins."""
        return max(self.burst * (1 - RESERVE) - 1, 0.0) * self.gap


#: For each subscription and identity; learn.microsoft.com, “Understand how Azure Resource Manager throttles requests”.
DOCUMENTED: Mapping[Kind, Rate] = {"read": Rate(250, 25), "write": Rate(200, 10), "delete": Rate(200, 10)}


class Ledger(Protocol):
    """Where the buckets are: in this process, or shared between many."""

    def begin(self, subscription: str, kind: Kind, rate: Rate, who: str, cost: float) -> float:
        """Takes `cost` for a turn; 0 when it may begin, else the seconds until it may.

        Its place in the line is kept: when it comes back then, it begins.
        """

    def settle(self, subscription: str, kind: Kind, rate: Rate, cost: float) -> None:
        """Takes `cost` more, or gives it back where that is less than nothing."""

    def pause(self, subscription: str, rates: Mapping[Kind, Rate], seconds: float) -> None:
        """Nobody asks for so long. The buckets are empty then, and whoever stood in line lines up anew."""

    def paused(self, subscription: str) -> float:
        """Seconds that are left of a pause."""


@dataclass
class _Bucket:
    """Until when the steady rate has been given away, and the moments at which those in line may begin."""

    promised: float = float("-inf")
    places: dict[str, float] = field(default_factory=dict)


class LocalLedger:
    """The buckets of one process. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, Kind], _Bucket] = defaultdict(_Bucket)
        self._paused: dict[str, float] = defaultdict(lambda: float("-inf"))

    def begin(self, subscription: str, kind: Kind, rate: Rate, who: str, cost: float) -> float:
        with self._lock:
            bucket, now = self._buckets[subscription, kind], self._clock()
            start = max(now, self._paused[subscription])
            place = bucket.places.get(who, float("-inf"))
            if place <= now - KEPT:
                promised = max(bucket.promised, start)
                bucket.promised = promised + cost * rate.gap
                place = bucket.places[who] = max(start, promised - rate.slack)
            wait = max(place, start) - now
            if wait <= 0:
                del bucket.places[who]
            return max(wait, 0.0)

    def settle(self, subscription: str, kind: Kind, rate: Rate, cost: float) -> None:
        with self._lock:
            self._buckets[subscription, kind].promised += cost * rate.gap

    def pause(self, subscription: str, rates: Mapping[Kind, Rate], seconds: float) -> None:
        with self._lock:
            until = self._paused[subscription] = max(self._paused[subscription], self._clock() + seconds)
            for kind, rate in rates.items():
                bucket = self._buckets[subscription, kind]
                bucket.places.clear()
                bucket.promised = max(bucket.promised, until + rate.slack)

    def paused(self, subscription: str) -> float:
        with self._lock:
            return max(self._paused[subscription] - self._clock(), 0.0)


class Limits:
    """The gate that every request to Azure Resource Manager goes through."""

    def __init__(self, rates: Mapping[Kind, Rate] = DOCUMENTED, ledger: Ledger | None = None) -> None:
        self.rates, self.ledger = rates, ledger or LocalLedger()
        #: Requests that a turn makes, on the average of the last ones.
        self._usual: dict[Kind, float] = dict.fromkeys(rates, 1.0)

    def enter(self, method: str, url: str) -> None:
        """Lets a request pass, now.

        :raises Queued: it is not this hub's turn yet, and when it is.
        """
        if (subscription := subscription_of(url)) is None:
            return None
        kind, mine = KINDS.get(method.upper(), "write"), _turn.get()
        if mine is None:
            return self._wait(subscription, kind)
        if (wait := self._ask(subscription, kind, mine)) > 0:
            raise _queued(wait)
        return None

    def refused(self, url: str, retry_after: float | None) -> None:
        """Azure has answered 429."""
        if (subscription := subscription_of(url)) is not None:
            self.ledger.pause(subscription, self.rates, PAUSE if retry_after is None else retry_after)

    def leave(self, subscription: str, kind: Kind, paid: float, used: int) -> None:
        """A turn is over: it settles, and the next pay what turns like it use to take."""
        self.ledger.settle(subscription, kind, self.rates[kind], used - paid)
        self._usual[kind] += LEARNS * (used - self._usual[kind])

    def _ask(self, subscription: str, kind: Kind, mine: Turn) -> float:
        with mine.lock:
            if (begun := mine.begun.get((subscription, kind))) is None:
                cost = max(self._usual[kind], 1.0)
                wait = self.ledger.begin(subscription, kind, self.rates[kind], mine.who, cost)
                if wait <= 0:
                    mine.begun[subscription, kind] = Begun(self, cost)
                return wait
            begun.used += 1
        return self.ledger.paused(subscription)

    def _wait(self, subscription: str, kind: Kind) -> None:
        """For those who have a thread of their own and hold up nobody: each request is a turn of its own."""
        until = time.monotonic() + PATIENCE
        while True:
            with turn(f"thread-{threading.get_ident()}") as mine:
                wait = self._ask(subscription, kind, mine)
            if wait <= 0:
                return
            if time.monotonic() + wait > until:
                raise _queued(wait)
            time.sleep(wait)


@dataclass
class Begun:
    """A bucket that has let a turn in: what was paid, and how many requests there were."""

    limits: Limits
    paid: float
    used: int = 1


@dataclass
class Turn:
    """One step of one hub, or whatever else asks in its own name; from several threads at a time if it likes."""

    who: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: dict[tuple[str, Kind], Begun] = field(default_factory=dict)


_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


@contextmanager
def turn(who: str) -> Iterator[Turn]:
    """Whatever is asked inside is asked in this one's name."""
    mine = Turn(who)
    token = _turn.set(mine)
    try:
        yield mine
    finally:
        _turn.reset(token)
        for (subscription, kind), begun in mine.begun.items():
            begun.limits.leave(subscription, kind, begun.paid, begun.used)


def subscription_of(url: str) -> str | None:
    """The subscription that a request is about; None for the few that are about none."""
    found = SUBSCRIPTION.search(url)
    return found[1].lower() if found else None


def _queued(wait: float) -> Queued:
    return Queued(
        "Many hubs are asking Azure about this subscription; this one has its turn soon.",
        "Azure limits how many requests a subscription may get; nothing need be done.",
        delay=wait,
    )
