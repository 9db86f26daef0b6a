"""The subscription's resource providers: Azure makes nothing of a kind that is not switched on."""

from __future__ import annotations

from cloud.azure import rights
from deployments.preflight import needed_providers
from worker.hub import HubContext
from worker.step import Found, Step


class Providers(Step[HubContext]):
    """Switches on what a new subscription lacks; it takes Azure a minute or two and costs nothing."""

    name, title, expected, deadline = "providers", "Services of the subscription", 3, 20 * 60

    def check(self, ctx: HubContext) -> Found:
        wanted = needed_providers(ctx.spec)
        states = rights.provider_states(ctx.az, ctx.subscription, wanted)
        missing = [name for name in wanted if states.get(name) not in ("Registered", "Registering")]
        if missing:
            return Found.drifted(f"{', '.join(missing)} not switched on yet")
        coming = [name for name in wanted if states.get(name) == "Registering"]
        if coming:
            return Found.changing(f"Azure is switching on {', '.join(coming)}")
        return Found.ready("all are switched on")

    def apply(self, ctx: HubContext) -> None:
        wanted = needed_providers(ctx.spec)
        states = rights.provider_states(ctx.az, ctx.subscription, wanted)
        for name in wanted:
            if states.get(name) not in ("Registered", "Registering"):
                ctx.hold()
                rights.register_provider(ctx.az, ctx.subscription, name)
