"""Preflight: everything that would fail late is looked at before anything is made."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from cloud.errors import (
    InvalidRequest,
    NameTaken,
    PermanentError,
    PermissionDenied,
    PolicyDenied,
    QuotaExceeded,
    SignInFailed,
    Unavailable,
)
from deployments.preflight import UNTRIED, Facts, Finding, findings
from deployments.states import Level
from worker.facts import Look, described
from worker.hub import HubContext
from worker.step import Found, Step

#: How a finding's code begins → the error that it is.
KINDS: dict[str, type[PermanentError]] = {
    "quota": QuotaExceeded,
    "addresses": QuotaExceeded,
    "rights": PermissionDenied,
    "vault": PermissionDenied,
    "policy": PolicyDenied,
    "registry-name": NameTaken,
    "dns-label": NameTaken,
    "group-taken": NameTaken,
    "registry-sign-in": SignInFailed,
    "github-": SignInFailed,
}


class Preflight(Step[HubContext]):
    """Compares what the person asked for with what can be had right now."""

    name, title, expected, deadline = "preflight", "Check that nothing stands in the way", 8, 300
    after, doubts = ("providers",), True

    def check(self, ctx: HubContext) -> Found:
        look = Look(ctx, settings.SLIPWAY_SHARED_SECONDS)
        facts = look.whole()
        found = findings(facts, described(ctx), ctx.names)
        if look.borrowed and any(finding.severity == "error" for finding in found):
            facts = Look(ctx).whole()
            found = findings(facts, described(ctx), ctx.names)
        if wrong := standing_in_the_way(ctx, found):
            return Found.failed(wrong)
        for finding in found:
            if finding.code in UNTRIED:
                raise Unavailable(finding.what, "It is tried again by itself.", code=finding.code)
        for finding in found:
            if finding.severity == "warning" and finding.code not in UNTRIED:
                ctx.log(f"{finding.what} {finding.remedy}", Level.WARNING)
        return Found.ready(f"rights, quota{_cores(facts)}, size, version, names and sign-ins are fine")


def standing_in_the_way(ctx: HubContext, found: Sequence[Finding]) -> PermanentError | None:
    """All errors as one, each with what to do about it; None where there are none. The page shows the texts to send."""
    errors = [finding for finding in found if finding.severity == "error"]
    letters = list(dict.fromkeys(finding.letter for finding in errors if finding.letter))
    if letters or ctx.operation.result.get("letters"):
        ctx.keep_result(letters=letters)
    if not errors:
        return None
    code = errors[0].code
    kind = next((kind for start, kind in KINDS.items() if code.startswith(start)), InvalidRequest)
    remedies = dict.fromkeys(finding.remedy for finding in errors)
    return kind(" ".join(finding.what for finding in errors), " ".join(remedies), code=code)


def _cores(facts: Facts) -> str:
    cores = (facts.quotas or {}).get("cores")
    return f" ({cores.left} cores left)" if cores else ""
