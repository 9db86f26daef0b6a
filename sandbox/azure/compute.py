"""What can be had here: machine sizes, core quotas, Kubernetes versions."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.azure.call import Call, ok, page
from sandbox.azure.errors import AzureError
from sandbox.azure.filters import clauses
from sandbox.azure.regions import KUBERNETES, LONG_TERM, REGIONS, normalise
from sandbox.azure.sizes import FAMILIES, NOT_FOR_YOU, SIZES, Size
from sandbox.azure.store import Store

PAGE = 50
GPU_FAMILIES = {size.family for size in SIZES.values() if size.gpus}


def skus(call: Call) -> Response:
    """Sizes × regions, 50 a page; only `location eq '…'` is understood as a filter, as in Azure."""
    wanted = clauses(call.query.get("$filter", ""))
    if set(wanted) - {"location"}:
        raise AzureError(400, "InvalidParameter", "The filter may only be 'location eq ...'.")
    region = normalise(wanted.get("location", ""))
    regions = [name for name in REGIONS if not region or name == region]
    return page(call, [_sku(size, name) for name in regions for size in SIZES.values()], PAGE)


def _sku(size: Size, region: str) -> dict[str, Any]:
    capabilities = {
        "vCPUs": str(size.vcpus),
        "vCPUsAvailable": str(size.vcpus),
        "MemoryGB": f"{size.memory:g}",
        "MaxDataDiskCount": str(size.vcpus * 2),
        "PremiumIO": "True",
        "CpuArchitectureType": "x64",
        "HyperVGenerations": "V1,V2",
        "GPUs": str(size.gpus) if size.gpus else "",
    }
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.removeprefix("Standard_"),
        "family": size.family,
        "locations": [region],
        "locationInfo": [{"location": region, "zones": ["1", "2", "3"], "zoneDetails": []}],
        "capabilities": [{"name": name, "value": value} for name, value in capabilities.items() if value],
        "restrictions": [_restriction(region)] if region in NOT_FOR_YOU.get(size.name.lower(), ()) else [],
    }


def _restriction(region: str) -> dict[str, Any]:
    return {
        "type": "Location",
        "values": [region],
        "restrictionInfo": {"locations": [region]},
        "reasonCode": "NotAvailableForSubscription",
    }


def limit(store: Store, subscription: str, region: str, name: str) -> int:
    """The quota of `cores`, `lowPriorityCores` or a family, as a test set it or the subscription's kind gives."""
    bucket = store.core.state.bucket("azure.quota")
    for place in (region, "*"):
        stored = bucket.get(f"{subscription.lower()}|{place}|{name.lower()}")
        if stored is not None:
            return int(stored["limit"])
    entry = store.subscriptions().get(subscription.lower(), {})
    cores = int(entry.get("cores", 10))
    if name in GPU_FAMILIES or (name == "lowPriorityCores" and entry.get("kind") == "FreeTrial"):
        return 0
    return cores


def used(store: Store, subscription: str, region: str) -> dict[str, int]:
    """Cores in use by `cores`, `lowPriorityCores` and family, from the clusters that really run."""
    counted: dict[str, int] = {}
    clusters = store.under(f"/subscriptions/{subscription}/", "Microsoft.ContainerService/managedClusters")
    for record in clusters:
        body = record["body"]
        if body["location"] != region or body["properties"]["powerState"]["code"] != "Running":
            continue
        for pool in body["properties"]["agentPoolProfiles"]:
            size = SIZES[pool["vmSize"].lower()]
            cores = size.vcpus * int(pool.get("count") or 0)
            for name in quota_names(pool):
                counted[name] = counted.get(name, 0) + cores
    return counted


def quota_names(pool: dict[str, Any]) -> tuple[str, ...]:
    """The quotas a pool's nodes count against."""
    if pool.get("scaleSetPriority") == "Spot":
        return ("lowPriorityCores",)
    return "cores", SIZES[pool["vmSize"].lower()].family


def usages(call: Call) -> Response:
    region = normalise(call.params["location"])
    if region not in REGIONS:
        message = f"No registered resource provider found for location '{region}' and API version '{call.api_version}'."
        raise AzureError(400, "NoRegisteredProviderFound", message)
    counted = used(call.store, call.subscription, region)
    labels = {"cores": "Total Regional vCPUs", "lowPriorityCores": "Total Regional Low-priority vCPUs"} | FAMILIES
    rows = [
        {
            "unit": "Count",
            "currentValue": counted.get(name, 0),
            "limit": limit(call.store, call.subscription, region, name),
            "name": {"value": name, "localizedValue": label},
        }
        for name, label in labels.items()
    ]
    return page(call, rows, 200)


def kubernetes_versions(call: Call) -> Response:
    region = normalise(call.params["location"])
    if region not in REGIONS:
        message = f"No registered resource provider found for location '{region}' and API version '{call.api_version}'."
        raise AzureError(400, "NoRegisteredProviderFound", message)
    values = [
        _version(minor, patches, ["KubernetesOfficial", "AKSLongTermSupport"], default, preview)
        for minor, (patches, default, preview) in KUBERNETES.items()
    ]
    values += [_version(minor, patches, ["AKSLongTermSupport"], False, False) for minor, patches in LONG_TERM.items()]
    return ok({"values": values})


def _version(minor: str, patches: list[str], plans: list[str], default: bool, preview: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "version": minor,
        "capabilities": {"supportPlan": plans},
        "patchVersions": {patch: {"upgrades": patches[index + 1 :]} for index, patch in enumerate(patches)},
    }
    if default:
        entry["isDefault"] = True
    if preview:
        entry["isPreview"] = True
    return entry
