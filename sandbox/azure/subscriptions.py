"""Tenants, subscriptions and their locations."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox import seeds
from sandbox.azure import rights
from sandbox.azure.call import Call, ok, page
from sandbox.azure.regions import LOGICAL, REGIONS, location_entry, logical_entry

QUOTA_IDS = {"FreeTrial": "FreeTrial_2014-09-01", "PayAsYouGo": "PayAsYouGo_2014-09-01"}


def _entry(subscription: dict[str, Any]) -> dict[str, Any]:
    kind = subscription["kind"]
    return {
        "id": f"/subscriptions/{subscription['id']}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription["id"],
        "tenantId": seeds.TENANT_ID,
        "displayName": subscription["name"],
        "state": subscription.get("state", "Enabled"),
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": QUOTA_IDS.get(kind, f"{kind}_2014-09-01"),
            "spendingLimit": "On" if kind == "FreeTrial" else "Off",
        },
    }


def tenants(_call: Call) -> Response:
    entry = {"id": f"/tenants/{seeds.TENANT_ID}", "tenantId": seeds.TENANT_ID, "displayName": "Slipway sandbox"}
    return ok({"value": [entry]})


def listing(call: Call) -> Response:
    """Only what the caller has any right on."""
    seen = [
        _entry(entry)
        for key, entry in sorted(call.store.subscriptions().items())
        if any(role["actions"] for role in rights.of(call.core, call.principal, key))
    ]
    body = {"value": seen, "count": {"type": "Total", "value": len(seen)}}
    return ok(body) if len(seen) < 100 else page(call, seen, 100)


def get(call: Call) -> Response:
    return ok(_entry(call.store.subscriptions()[call.subscription]))


def locations(call: Call) -> Response:
    name = call.params["subscription"]
    entries = [location_entry(name, region) for region in REGIONS.values()]
    entries += [logical_entry(name, key, display) for key, display in LOGICAL.items()]
    return ok({"value": entries})
