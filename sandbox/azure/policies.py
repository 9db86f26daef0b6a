"""Azure Policy, deny effects only: set by a test, met by every create and update."""

from __future__ import annotations

from typing import Any

from sandbox.azure.call import Call
from sandbox.azure.errors import AzureError
from sandbox.azure.regions import normalise


def require(call: Call, resource_type: str, name: str, location: str, tags: dict[str, str]) -> None:
    """Refuses with RequestDisallowedByPolicy what a policy of this subscription denies."""
    for _, policy in call.core.state.bucket("azure.policies").items(f"{call.subscription}|"):
        if _denies(policy, resource_type, location, tags):
            raise _refusal(call, policy, resource_type, name)


def _denies(policy: dict[str, Any], resource_type: str, location: str, tags: dict[str, str]) -> bool:
    types = [kind.lower() for kind in policy.get("types", [])]
    if types and resource_type.lower() not in types:
        return False
    locations = [normalise(place) for place in policy.get("allowed_locations", [])]
    if locations:
        return normalise(location) not in locations
    if policy.get("required_tag"):
        return policy["required_tag"].lower() not in {tag.lower() for tag in tags}
    return True


def _refusal(call: Call, policy: dict[str, Any], resource_type: str, name: str) -> AzureError:
    display = policy["name"]
    slug = display.lower().replace(" ", "-")
    scope = f"/subscriptions/{call.params['subscription']}"
    info = {
        "policyDefinitionDisplayName": display,
        "policyDefinitionName": slug,
        "policyDefinitionId": f"/providers/Microsoft.Authorization/policyDefinitions/{slug}",
        "policyDefinitionEffect": "deny",
        "policyAssignmentName": slug,
        "policyAssignmentDisplayName": display,
        "policyAssignmentScope": scope,
        "policyAssignmentId": f"{scope}/providers/Microsoft.Authorization/policyAssignments/{slug}",
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
