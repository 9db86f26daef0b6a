"""Which names lead where: Azure's own below a DNS label, and records that a person had made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.core import Core
from sandbox.kubernetes.controllers import balancers

#: Records that people made: name → {"type", "value"}.
BUCKET = "dns.records"
AZURE = "cloudapp.azure.com"
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
A, CNAME = 1, 5
KINDS = {"A": A, "CNAME": CNAME}
LONGEST_CHAIN = 8


@dataclass
class Found:
    """What a resolver answers: its status, and (name, type, data) of each record on the way."""

    status: int = NOERROR
    records: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def addresses(self) -> list[str]:
        return [data for _, kind, data in self.records if kind == A]


def resolve(core: Core, name: str, kind: int = A) -> Found:
    """The records of a name, its aliases followed. An alias to a name that does not exist is told with NXDOMAIN."""
    found, name = Found(), plain(name)
    for _ in range(LONGEST_CHAIN):
        here = _record(core, name)
        if here is None:
            found.status = NXDOMAIN
            return found
        if here[0] == kind or here[0] == CNAME:
            found.records.append((name, *here))
        if here[0] != CNAME or kind == CNAME:
            return found
        name = here[1]
    return Found(SERVFAIL)


def _record(core: Core, name: str) -> tuple[int, str] | None:
    made = core.state.bucket(BUCKET).get(name)
    if made is not None:
        return KINDS[made["type"]], plain(made["value"])
    address = dict(azure_names(core)).get(name)
    return (A, address) if address else None


def azure_names(core: Core) -> Iterator[tuple[str, str]]:
    """(name, address) of every public address with a DNS label."""
    clusters = core.services["kubernetes"]
    for key, cluster in clusters.live.items():
        region = clusters.about(key)["region"]
        for service in cluster.store.list("services"):
            label, address = balancers.label_of(service), balancers.address_of(service)
            if label and address:
                yield f"{label}.{region}.{AZURE}", address


def made_names(core: Core) -> list[str]:
    """The names that people made records for."""
    return core.state.bucket(BUCKET).keys()


def plain(name: str) -> str:
    """As names are compared: small letters, no dot at the end."""
    return name.strip().lower().rstrip(".")
