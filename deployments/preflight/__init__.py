"""Facts and a hub's description → what stands in the way. Pure, so every sentence has a test.

The same function runs beside the form with what the catalogue remembers, at submit, and first thing in the run with a
fresh look. A fact that nobody has looked at is None, and nothing is said about it. docs/preflight.md lists them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from deployments.naming import Names
from deployments.preflight import azure, machines, names, people, places, storage
from deployments.preflight.azure import (
    GATE,
    needed_actions,
    needed_providers,
)
from deployments.preflight.facts import (
    Check,
    CoresFact,
    Denial,
    DomainFact,
    Facts,
    Finding,
    NameFact,
    RegistryFact,
    SizeFact,
    TemplateFact,
    Unseen,
)
from deployments.preflight.machines import cores_of
from deployments.spec import HubSpec

CHECKS: tuple[Check, ...] = (
    *azure.CHECKS,
    *machines.CHECKS,
    *names.CHECKS,
    *storage.CHECKS,
    *people.CHECKS,
    *places.CHECKS,
)
#: Said when somebody outside did not answer, so that a sign-in could not be tried.
UNTRIED = frozenset({"registry-unreachable", "github-unreachable", "template-unreachable"})


def findings(facts: Facts, spec: HubSpec, hub: Names, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Everything that stands in the way, in the order in which a person would mend it."""
    return [finding for check in checks for finding in check(facts, spec, hub)]


__all__ = [
    "GATE",
    "UNTRIED",
    "CoresFact",
    "Denial",
    "DomainFact",
    "Facts",
    "Finding",
    "NameFact",
    "RegistryFact",
    "SizeFact",
    "TemplateFact",
    "Unseen",
    "cores_of",
    "findings",
    "needed_actions",
    "needed_providers",
]
