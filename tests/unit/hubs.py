"""Descriptions of hubs for tests of pure functions."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from deployments import naming
from deployments.spec import HubSpec
from deployments.values import HubSecrets
from deployments.values.overlay import ChartSchema

TODAY = date(2026, 11, 23)
NAMES = naming.derive("course", UUID(int=0xABCDEF << 104))
ADDRESS = "https://course-abcdef.uksouth.cloudapp.azure.com/"
SECRETS = HubSecrets("binder-token", "proxy-token", "probe-token", "docker-token", "github-secret", "private-token")
CHART = Path(__file__).resolve().parents[2] / "sandbox" / "charts" / "binderhub"


def described(**changes: Any) -> HubSpec:
    """A small public hub, with what is named changed."""
    plain: dict[str, Any] = {
        "name": "course",
        "purpose": "A course",
        "subscription_id": "5117a000-0000-4000-8000-00000000c001",
        "region": "uksouth",
        "node_size": "Standard_D4s_v5",
        "node_count": 2,
        "kubernetes_version": "1.34.3",
        "docker_username": "someone",
        "image_prefix": "course-",
        "keep_until": date(2026, 12, 1),
        "chart_version": "1.0.0",
        "contact_email": "someone@example.org",
    }
    return HubSpec(**(plain | changes))


def chart_schema() -> ChartSchema:
    """The schemas that come with the chart of the simulated cloud."""
    own = json.loads((CHART / "values.schema.json").read_text())
    inner = json.loads((CHART / "charts" / "jupyterhub" / "values.schema.json").read_text())
    return ChartSchema(own, inner)
