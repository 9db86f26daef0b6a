"""Azure Policy, deny effects only: set by a test, met by every create and update, and asked about beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from sandbox.azure.call import Call, ok
from sandbox.azure.errors import AzureError
from sandbox.azure.regions import normalise

DEFINITIONS = "/providers/Microsoft.Authorization/policyDefinitions"
#: Where a size stands in what is asked about, by policy's own names for it.
SIZE_FIELDS = (
    "Microsoft.Compute/virtualMachineScaleSets/sku.name",
    "Microsoft.Compute/virtualMachines/sku.name",
    "Microsoft.ContainerService/managedClusters/agentPoolProfiles[*].vmSize",
)
Policy = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What is to be made, as far as it is known; None where it is not said."""

    type: str
    location: str | None
    tags: dict[str, str] = field(default_factory=dict)
    sizes: tuple[str, ...] = ()


def require(
    call: Call, resource_type: str, name: str, location: str, tags: dict[str, str], sizes: tuple[str, ...] = ()
) -> None:
    """Refuses with RequestDisallowedByPolicy what a policy of this subscription denies."""
    asked = Asked(resource_type, location, tags, sizes)
    for policy in _of(call):
        if _denies(policy, asked):
            raise _refusal(call, policy, name)


def _of(call: Call) -> list[Policy]:
    return [policy for _, policy in call.core.state.bucket("azure.policies").items(f"{call.subscription}|")]


def _concerns(policy: Policy, resource_type: str) -> bool:
    types = [_kind(kind) for kind in policy.get("types", [])]
    return not types or _kind(resource_type) in types


def _kind(resource_type: str) -> str:
    """ARM and Azure Policy write the type of a resource group differently."""
    return resource_type.lower().replace("/subscriptions/resourcegroups", "/resourcegroups")


def _denies(policy: Policy, asked: Asked) -> bool:
    if not _concerns(policy, asked.type):
        return False
    if locations := _locations(policy):
        return normalise(asked.location or "") not in locations
    if allowed := _sizes(policy):
        return any(size.lower() not in allowed for size in asked.sizes)
    if policy.get("required_tag"):
        return policy["required_tag"].lower() not in {tag.lower() for tag in asked.tags}
    return True


def sizes(body: dict[str, Any]) -> tuple[str, ...]:
    """The machine sizes in a cluster or a scale set, whatever else is wrong with it."""
    properties, sku = body.get("properties"), body.get("sku")
    pools = properties.get("agentPoolProfiles") if isinstance(properties, dict) else None
    found = [pool.get("vmSize") for pool in pools if isinstance(pool, dict)] if isinstance(pools, list) else []
    if isinstance(sku, dict) and str(body.get("type", "")).lower().endswith("scalesets"):
        found.append(sku.get("name"))
    return tuple(str(size) for size in found if size)


def _locations(policy: Policy) -> list[str]:
    return [normalise(place) for place in policy.get("allowed_locations", [])]


def _sizes(policy: Policy) -> list[str]:
    return [str(size).lower() for size in policy.get("allowed_sizes", [])]


def _refusal(call: Call, policy: Policy, name: str) -> AzureError:
    display = policy["name"]
    reference = _reference(call, policy)
    info = {
        "policyDefinitionDisplayName": display,
        "policyDefinitionName": _slug(policy),
        "policyDefinitionId": reference["policyDefinitionId"],
        "policyDefinitionEffect": "deny",
        "policyAssignmentName": _slug(policy),
        "policyAssignmentDisplayName": display,
        "policyAssignmentScope": f"/subscriptions/{call.params['subscription']}",
        "policyAssignmentId": reference["policyAssignmentId"],
        "evaluationDetails": {"evaluatedExpressions": []},
    }
    return AzureError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{name}' was disallowed by policy. Policy identifiers: "
        f'\'[{{"policyAssignment":{{"name":"{display}"}}}}]\'.',
        target=name,
        additional_info=[{"type": "PolicyViolation", "info": info}],
    )


def _slug(policy: Policy) -> str:
    return str(policy["name"]).lower().replace(" ", "-")


def _reference(call: Call, policy: Policy) -> dict[str, str]:
    scope = f"/subscriptions/{call.params['subscription']}"
    return {
        "policyDefinitionId": f"{DEFINITIONS}/{_slug(policy)}",
        "policyAssignmentId": f"{scope}/providers/Microsoft.Authorization/policyAssignments/{_slug(policy)}",
    }


# --- asked about beforehand -----------------------------------------------------------------------------------------


def check(call: Call) -> Response:
    """checkPolicyRestrictions: what policies would say of a resource that is only partly known."""
    body = call.json()
    content = (body.get("resourceDetails") or {}).get("resourceContent")
    if not isinstance(content, dict) or not content.get("type"):
        raise AzureError(
            400,
            "InvalidCheckRestrictionsRequest",
            "The request to check policy restrictions is invalid: the resource content must have a type.",
        )
    pending = {entry["field"]: entry.get("values") or [] for entry in body.get("pendingFields") or []}
    concerned = [policy for policy in _of(call) if _concerns(policy, content["type"])]
    evaluated, restricted = [], []
    for policy in concerned:
        name, denied = _pending(policy, pending)
        if name:
            restricted += [_restriction(call, policy, name, denied)] if denied else []
        elif _denies(policy, _asked(content)):
            evaluated.append(_evaluation(call, policy))
    return ok({"fieldRestrictions": restricted, "contentEvaluationResult": {"policyEvaluations": evaluated}})


def _asked(content: dict[str, Any]) -> Asked:
    return Asked(content["type"], content.get("location"), content.get("tags") or {}, sizes(content))


def _pending(policy: Policy, pending: dict[str, list[str]]) -> tuple[str, list[str]]:
    """The pending field that the policy is about, and which of its values it denies; "" where it is about none."""
    if locations := _locations(policy):
        found = "location" if "location" in pending else ""
        return found, [place for place in pending.get(found, []) if normalise(place) not in locations]
    if allowed := _sizes(policy):
        found = next((name for name in SIZE_FIELDS if name in pending), "")
        return found, [size for size in pending.get(found, []) if size.lower() not in allowed]
    return "", []


def _restriction(call: Call, policy: Policy, name: str, denied: list[str]) -> dict[str, Any]:
    restriction = {
        "result": "Deny",
        "values": denied,
        "policy": _reference(call, policy),
        "policyEffect": "Deny",
        "reason": f"{name} is denied by “{policy['name']}”",
    }
    return {"field": name, "restrictions": [restriction]}


def _evaluation(call: Call, policy: Policy) -> dict[str, Any]:
    return {
        "policyInfo": _reference(call, policy),
        "evaluationResult": "NonCompliant",
        "evaluationDetails": {"evaluatedExpressions": []},
        "effectDetails": {"policyEffect": "Deny"},
    }


def definition(call: Call) -> Response:
    """A policy's definition by its name, which says what people call it."""
    wanted = call.params["name"].lower()
    for _, policy in call.core.state.bucket("azure.policies").items():
        if _slug(policy) == wanted:
            properties = {"displayName": policy["name"], "policyType": "BuiltIn", "mode": "Indexed"}
            number = f"{DEFINITIONS}/{wanted}"
            kind = "Microsoft.Authorization/policyDefinitions"
            return ok({"id": number, "name": wanted, "type": kind, "properties": properties})
    raise AzureError(
        404, "PolicyDefinitionNotFound", f"The policy definition '{call.params['name']}' could not be found."
    )
