"""A hub's values as YAML to look at and to download, with every secret masked."""

from __future__ import annotations

from io import StringIO

from ruamel.yaml import YAML

from deployments.models import Deployment
from deployments.values import HubSecrets, hub_values

MASKED = "(in the vault)"


def masked_values_yaml(deployment: Deployment) -> str:
    """What Helm is given for this hub, but for the secrets: those are only in the vault."""
    spec = deployment.revision.spec
    masks = HubSecrets(MASKED, MASKED, MASKED, MASKED, MASKED)
    values = hub_values(spec, deployment.names, deployment.address, masks)
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    out.write(f"# Hub {deployment.name}: chart binderhub {spec.chart_version}, release {deployment.names.release}\n")
    yaml.dump(values, out)
    return out.getvalue()
