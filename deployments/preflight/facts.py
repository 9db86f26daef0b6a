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
    """How much of something the subscription may use in the region, and does use."""

    label: str
    used: int
    limit: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True)
class Denial:
    """A policy that would refuse what the plan makes, by its display name. Without regions and sizes: anywhere, any."""

    policy: str
    refuses: str = "a cluster"
    regions: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unseen:
    """What the portal could not look at, and the right that looking at it takes."""

    what: str
    right: str = ""


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


#: How the vault took the wish to read the hub's secrets.
VaultState = Literal["ok", "refused", "missing", "deleted"]
GithubState = Literal["ok", "unknown-client", "wrong-secret", "other-callback", "unreachable"]
TokenState = Literal["ok", "refused", "expired", "unreachable"]


@dataclass(frozen=True)
class Facts:
    """What a look at the cloud told. None: nobody has looked."""

    #: What somebody wanted to look at and may not.
    unseen: tuple[Unseen, ...] = ()
    #: False where the portal's identity has no role on the subscription at all.
    subscription_seen: bool | None = None
    subscription_name: str = "this subscription"
    subscription_state: str | None = None
    #: As people know it.
    region_name: str = ""
    identity: str = "Slipway's identity"
    object_id: str = ""
    allows: Callable[[str], bool] | None = None
    providers: Mapping[str, str] | None = None
    denials: tuple[Denial, ...] = ()
    sizes: Mapping[str, SizeFact] | None = None
    quotas: Mapping[str, CoresFact] | None = None
    versions: tuple[str, ...] | None = None
    previews: tuple[str, ...] = ()
    #: Versions for those that pay for long-term support.
    long_term: tuple[str, ...] = ()
    #: Public addresses of the subscription in the region.
    addresses: CoresFact | None = None
    #: None where the group's name is free.
    taken_group_owner: str | None = None
    #: True once our own cluster exists: then its name and address are taken by ourselves.
    own_cluster_exists: bool = False
    #: What our own cluster is and has in use: by quota key, None while nobody knows. It counts no second time.
    own_version: str = ""
    own_cores: Mapping[str, int] | None = None
    vault: VaultState | None = None
    vault_name: str = "that Slipway keeps secrets in"
    registry_name: NameFact | None = None
    dns_label: NameFact | None = None
    registry: RegistryFact | None = None
    github_app: GithubState | None = None
    #: Where GitHub sends people back to: what the app has to say.
    callback: str = ""
    #: Organisations named in the form that GitHub does not know.
    unknown_organisations: tuple[str, ...] = ()
    private_token: TokenState | None = None
    template: TemplateFact | None = None
    domain: DomainFact | None = None
    #: What is wrong with the expert values, each with its line and column.
    overlay: tuple[str, ...] = ()
    chart_found: bool | None = None
    today: date | None = None
    longest_days: int | None = None

    def place(self, spec: HubSpec) -> str:
        """The hub's region, in words where they are known."""
        return self.region_name or spec.region


Check = Callable[[Facts, HubSpec, Names], Iterator[Finding]]


def error(code: str, what: str, remedy: str, field: str = "", letter: str = "") -> Finding:
    return Finding("error", code, what, remedy, field, letter)


def warning(code: str, what: str, remedy: str, field: str = "", letter: str = "") -> Finding:
    return Finding("warning", code, what, remedy, field, letter)
