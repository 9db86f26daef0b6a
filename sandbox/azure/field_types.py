"""Kinds of values that fields must have. A value of another kind cannot be read at all."""

from __future__ import annotations

from typing import Any

from sandbox.azure.errors import Json, invalid_content

TEXTS = "name dnsPrefix kubernetesVersion nodeResourceGroup supportPlan vmSize mode osType osSKU orchestratorVersion"
NUMBERS = "count minCount maxCount maxPods osDiskSizeGB"
FLAGS = "enableAutoScaling enableRBAC disableLocalAccounts enableNodePublicIP"
LISTS = "nodeTaints availabilityZones agentPoolProfiles"
MAPS = "nodeLabels networkProfile autoUpgradeProfile oidcIssuerProfile securityProfile identity sku properties"
KINDS: dict[str, type] = {
    name: kind
    for names, kind in ((TEXTS, str), (NUMBERS, int), (FLAGS, bool), (LISTS, list), (MAPS, dict))
    for name in names.split()
}
#: What Go, in which AKS is written, calls the kinds of JSON values.
GO = {str: "string", int: "number", float: "number", bool: "bool", list: "array", dict: "object"}


def misfit(value: Json, path: str = "") -> str:
    """Where the first value of a wrong kind is, and how AKS words it; "" when all fit."""
    for name, part in value.items():
        wanted = KINDS.get(name)
        if part is None or wanted is None:
            continue
        if not isinstance(part, wanted) or (wanted is int and isinstance(part, bool)):
            return f"json: cannot unmarshal {GO.get(type(part), 'value')} into field {path}{name}"
        inner = part if isinstance(part, list) else [part]
        for each in inner:
            if isinstance(each, dict) and (found := misfit(each, f"{path}{name}.")):
                return found
    labels = value.get("nodeLabels") or {}
    if any(not isinstance(text, str) for text in [*labels.values(), *(value.get("nodeTaints") or [])]):
        return f"json: cannot unmarshal a value that is no string into field {path}nodeLabels or nodeTaints"
    return ""


def tags(body: Any) -> dict[str, str]:
    """A body's tags; refuses anything but texts by name."""
    found = body.get("tags") or {}
    if not isinstance(found, dict) or any(not isinstance(value, str) for value in found.values()):
        raise invalid_content("Unexpected value encountered while reading 'tags': names with texts are expected")
    return found
