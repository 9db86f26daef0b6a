"""What can happen to a call, and to which calls it can happen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.matrix.calls import Call

FOREVER = 10**6
LOST = '{"error": {"code": "NotFound", "message": "The entity was not found: the operation has been forgotten."}}'
PROXY = "<html><body><h1>404 Not Found</h1><hr>squid/6.6</body></html>"
PORTAL = "<html><body>Please accept the terms of this network to go on.</body></html>"
#: Doors that are Azure's own.
AZURE = ("azure", "vault", "entra")


@dataclass(frozen=True)
class Fault:
    """One kind of bad day. `count` outlasts what SDKs try again by themselves.

    After one that `passes` the run goes on by itself; others may end it, in words that a person can act on.
    """

    name: str
    rule: dict[str, Any] = field(hash=False)
    count: int = 1
    passes: bool = True
    after: bool = False
    doors: tuple[str, ...] = ()
    writes_only: bool = False
    #: It goes on until the run has ended because of it, or has gone on without that call.
    lasts: bool = False

    def concerns(self, call: Call) -> bool:
        if self.name == "operation forgotten":
            return "{operation}" in call.path
        return (not self.doors or call.door in self.doors) and (call.writes or not (self.writes_only or self.after))

    def rule_for(self, call: Call) -> dict[str, Any]:
        narrowed = {"path": call.pattern, "method": call.method, "door": call.door, "agent": "^(?!Helm|Mozilla)"}
        return narrowed | self.rule | {"count": self.count, "before": not self.after}


def _html(status: int, body: str) -> dict[str, Any]:
    return {"kind": "custom", "status": status, "body": body, "headers": {"content-type": "text/html"}}


#: The call has had no effect. SDKs try a broken connection again up to twice by themselves.
TRANSIENT = (
    Fault("429 with Retry-After", {"kind": "throttled"}),
    Fault("429 without", {"kind": "throttled-silent"}),
    Fault("500", {"kind": "server-error"}),
    Fault("503", {"kind": "unavailable"}),
    Fault("HTML from a gateway", {"kind": "html"}),
    Fault("HTML instead of an answer", _html(200, PORTAL)),
    Fault("404 from a proxy", _html(404, PROXY)),
    Fault("503 with an empty body", {"kind": "empty"}),
    Fault("200 with an empty body", {"kind": "empty-success"}),
    Fault("garbage", {"kind": "garbage"}),
    Fault("JSON of another shape", {"kind": "nonsense"}),
    Fault("slow", {"kind": "slow", "delay": 0.15}),
    Fault("silence", {"kind": "silent"}, count=3),
    Fault("connection dropped in mid-answer", {"kind": "drop"}, count=3),
    Fault("connection cut before an answer", {"kind": "cut"}, count=3),
    Fault("expired token", {"kind": "expired-token"}, doors=("azure", "vault")),
    Fault("CAE challenge", {"kind": "cae"}, doors=("azure", "vault")),
    Fault("operation forgotten", {"kind": "custom", "status": 404, "body": LOST}),
    Fault("RBAC lag", {"kind": "forbidden"}, doors=("vault",)),
)
#: It has had its effect, and nobody was told.
UNHEARD = (
    Fault("500 after the deed", {"kind": "server-error"}, after=True),
    Fault("garbage after the deed", {"kind": "garbage"}, after=True),
    Fault("connection cut after the deed", {"kind": "cut"}, count=1, after=True),
)
#: What somebody has to put right.
REFUSALS = (
    Fault("no right", {"kind": "forbidden"}, passes=False),
    Fault(
        "sign-in not accepted",
        {"kind": "expired-token"},
        passes=False,
        doors=("cluster", "hub", "docker hub", "registry"),
    ),
    Fault("provider not registered", {"kind": "not-registered"}, passes=False, doors=("azure",)),
    Fault("soft-delete clash", {"kind": "soft-deleted"}, passes=False, doors=("vault",), writes_only=True),
    Fault("policy", {"kind": "policy"}, passes=False, doors=("azure", "cluster"), writes_only=True),
)
#: It does not pass.
LASTING = (Fault("503 for good", {"kind": "unavailable"}, count=FOREVER, passes=False, lasts=True),)
ALL = (*TRANSIENT, *UNHEARD, *REFUSALS, *LASTING)
#: Faults that strike the calls of one life, one after another. What lets a call take effect comes last: most calls are
#: not made again then. An answer that may pass for a refusal is in each course once: the second in a row is believed.
COURSES = {
    "not now": (
        "429 with Retry-After",
        "429 without",
        "HTML instead of an answer",
        "500",
        "503",
        "HTML from a gateway",
        "500 after the deed",
    ),
    "broken off": (
        "503 with an empty body",
        "operation forgotten",
        "404 from a proxy",
        "connection dropped in mid-answer",
        "connection cut before an answer",
        "slow",
        "connection cut after the deed",
    ),
    "without sense": ("expired token", "CAE challenge", "garbage", "RBAC lag", "garbage after the deed"),
    "refused": (
        "no right",
        "sign-in not accepted",
        "JSON of another shape",
        "provider not registered",
        "soft-delete clash",
        "policy",
    ),
    "silence": ("200 with an empty body", "silence"),
    "for good": ("503 for good",),
}


def course(name: str) -> tuple[Fault, ...]:
    by_name = {fault.name: fault for fault in ALL}
    return tuple(by_name[fault] for fault in COURSES[name])
