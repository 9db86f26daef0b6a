"""HubSpec: what the person asked for, frozen and versioned; nothing that happened."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Literal

VERSION = 1

Access = Literal["public", "github"]


@dataclass(frozen=True)
class HubSpec:
    """Everything a hub is made from, except its secrets."""

    name: str
    purpose: str
    subscription_id: str
    region: str
    node_size: str
    node_count: int
    kubernetes_version: str
    docker_username: str
    image_prefix: str
    keep_until: date
    chart_version: str
    contact_email: str = ""
    docker_organisation: str = ""
    access: Access = "public"
    github_client_id: str = ""
    github_organisations: tuple[str, ...] = ()
    tier: Literal["Free", "Standard"] = "Free"

    @property
    def image_namespace(self) -> str:
        """The Docker Hub user or organisation that images are pushed to."""
        return self.docker_organisation or self.docker_username

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "version": VERSION,
            "keep_until": self.keep_until.isoformat(),
            "github_organisations": list(self.github_organisations),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> HubSpec:
        """Reads what `to_json` wrote.

        :raises ValueError: for another version or a field this one does not know.
        """
        values = dict(data)
        if (version := values.pop("version", None)) != VERSION:
            raise ValueError(f"This Slipway reads hub descriptions of version {VERSION}, not {version}.")
        if unknown := set(values) - {field.name for field in fields(cls)}:
            raise ValueError(f"Unknown in a hub description: {', '.join(sorted(unknown))}.")
        values["keep_until"] = date.fromisoformat(values["keep_until"])
        values["github_organisations"] = tuple(values.get("github_organisations", ()))
        return cls(**values)
