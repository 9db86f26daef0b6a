"""A hub's values as YAML to look at and to download, with every secret masked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deployments import outside
from deployments.models import Deployment
from deployments.naming import Names
from deployments.spec import HubSpec
from deployments.values import HubSecrets, hub_values
from deployments.values.overlay import as_yaml, difference

MASKED = "(in the vault)"


def masked_values(spec: HubSpec, names: Names, address: str) -> dict[str, Any]:
    """What Helm is given for such a hub, but for the secrets: those are only in the vault."""
    masks = HubSecrets(*[MASKED] * 6)
    return hub_values(spec, names, address, masks, outside.registry_host(spec, names))


def masked_values_yaml(deployment: Deployment) -> str:
    """The values of the hub's newest description, with a first line that says what they are."""
    spec = deployment.revision.spec
    head = f"# Hub {deployment.name}: chart binderhub {spec.chart_version}, release {deployment.names.release}\n"
    return head + as_yaml(masked_values(spec, deployment.names, deployment.address))


def overlay_difference(spec: HubSpec, names: Names, address: str) -> list[str]:
    """What the expert values change, as the lines of a diff."""
    without = masked_values(replace(spec, overlay=""), names, address)
    return difference(without, masked_values(spec, names, address))


def change_difference(before: HubSpec, after: HubSpec, names: Names, address: str) -> list[str]:
    """What an edit changes in the values, as the lines of a diff."""
    return difference(masked_values(before, names, address), masked_values(after, names, address))
