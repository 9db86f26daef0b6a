"""The way into the subscription: that we may do what the plan needs, and that the services it needs are switched on."""

from __future__ import annotations

from django.conf import settings

from cloud.azure import rights
from deployments.preflight import GATE, Facts, findings, needed_providers
from deployments.preflight.azure import COMING, ON
from worker.facts import Look
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps.preflight import standing_in_the_way


class Providers(Step[HubContext]):
    """Switches on what a new subscription lacks; it takes Azure a minute or two and costs nothing."""

    name, title, expected, deadline = "providers", "Access to the subscription", 3, 20 * 60

    def check(self, ctx: HubContext) -> Found:
        facts = _seen(ctx)
        if wrong := standing_in_the_way(ctx, findings(facts, ctx.spec, ctx.names, GATE)):
            return Found.failed(wrong)
        states = facts.providers or {}
        missing = [name for name, state in states.items() if state not in (ON, COMING)]
        if missing:
            return Found.drifted(f"{', '.join(missing)} not switched on yet")
        coming = [name for name, state in states.items() if state == COMING]
        if coming:
            return Found.changing(f"Azure is switching on {', '.join(coming)}")
        return Found.ready(f"we may do what is needed in {facts.subscription_name}, and its services are on")

    def apply(self, ctx: HubContext) -> None:
        wanted = needed_providers(ctx.spec)
        for name, state in rights.provider_states(ctx.az, ctx.subscription, wanted).items():
            if state not in (ON, COMING):
                ctx.hold()
                rights.register_provider(ctx.az, ctx.subscription, name)


def _seen(ctx: HubContext) -> Facts:
    """What other hubs were told serves as long as all is well; nobody waits or fails for it."""
    look = Look(ctx, settings.SLIPWAY_SHARED_SECONDS)
    facts = look.gate()
    well = set((facts.providers or {}).values()) == {ON} and not findings(facts, ctx.spec, ctx.names, GATE)
    return facts if well or not look.borrowed else Look(ctx).gate()
