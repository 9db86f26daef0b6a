"""What was looked at, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from deployments.naming import Names
from deployments.spec import HubSpec


@dataclass(frozen=True)
class Finding:
    """What, why, what to do, and at which field of the form. Errors block, warnings do not.

    `letter` is a text to send to whoever can mend it, where that is somebody else.
    """

    severity: Literal["error", "warning"]
    code: str
    what: str
    remedy: str
    field: str = ""
    letter: str = ""


@dataclass(frozen=True)
class SizeFact:
    family: str
    vcpus: int
    restricted: bool
    memory_gib: float = 0


@dataclass(frozen=True)
class CoresFact:
    label: str
    used: int
    limit: int


@dataclass(frozen=True)
class Denial:
    """A policy that would refuse what the plan makes, by its display name."""

    policy: str
    refuses: str = "a cluster"


@dataclass(frozen=True)
class NameFact:
    """Whether a name that must be unique is free; `reason` is Azure's own sentence."""

    available: bool
    reason: str = ""


@dataclass(frozen=True)
class RegistryFact:
    """How the registry took the sign-in and the try to push; pulls as it counts them."""

    state: Literal["ok", "sign-in-refused", "push-refused", "not-a-registry", "bad-certificate", "unreachable"]
    pulls_left: int | None = None
    pulls_limit: int | None = None


@dataclass(frozen=True)
class TemplateFact:
    """Whether the template repository answers, and the branches it has."""

    state: Literal["ok", "missing", "unreachable"]
    branches: tuple[str, ...] = ()


@dataclass(frozen=True)
class DomainFact:
    """Where a person's own domain leads now."""

    state: Literal["ok", "missing", "elsewhere"]
    wanted: str
    found: str = ""


GithubState = Literal["ok", "unknown-client", "wrong-secret", "other-callback", "unreachable"]
TokenState = Literal["ok", "refused", "expired", "unreachable"]


@dataclass(frozen=True)
class Facts:
    """What a look at the cloud told. None: nobody has looked."""

    subscription_name: str = "this subscription"
    subscription_state: str | None = None
    identity: str = "Slipway's identity"
    allows: Callable[[str], bool] | None = None
    providers: Mapping[str, str] | None = None
    denials: tuple[Denial, ...] = ()
    sizes: Mapping[str, SizeFact] | None = None
    quotas: Mapping[str, CoresFact] | None = None
    versions: tuple[str, ...] | None = None
    previews: tuple[str, ...] = ()
    #: None where the group's name is free.
    taken_group_owner: str | None = None
    #: True once our own cluster exists: then its cores are in use already and count no second time.
    own_cluster_exists: bool = False
    registry_name: NameFact | None = None
    dns_label: NameFact | None = None
    registry: RegistryFact | None = None
    github_app: GithubState | None = None
    private_token: TokenState | None = None
    template: TemplateFact | None = None
    domain: DomainFact | None = None
    #: What is wrong with the expert values, each with its line and column.
    overlay: tuple[str, ...] = ()
    chart_versions: tuple[str, ...] = ()
    today: date | None = None
    longest_days: int | None = None


Check = Callable[[Facts, HubSpec, Names], Iterator[Finding]]


def error(code: str, what: str, remedy: str, field: str = "", letter: str = "") -> Finding:
    return Finding("error", code, what, remedy, field, letter)


def warning(code: str, what: str, remedy: str, field: str = "", letter: str = "") -> Finding:
    return Finding("warning", code, what, remedy, field, letter)
