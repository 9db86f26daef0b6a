"""HubSpec: what the person asked for, frozen and versioned; nothing that happened."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Literal

VERSION = 1

Access = Literal["public", "github"]
Registry = Literal["dockerhub", "acr", "other"]
Tier = Literal["Free", "Standard"]

#: Kept as tuples here and as lists in JSON.
SEVERAL = ("github_organisations", "allowed_repositories", "banned_repositories")


@dataclass(frozen=True)
class HubSpec:
    """Everything a hub is made from, except its secrets. An empty field leaves the matter to Azure or to the chart."""

    name: str
    purpose: str
    subscription_id: str
    region: str
    node_size: str
    node_count: int
    kubernetes_version: str
    image_prefix: str
    keep_until: date
    chart_version: str
    contact_email: str = ""

    #: Where images are stored: Docker Hub, an Azure Container Registry that Slipway makes, or any other registry.
    registry: Registry = "dockerhub"
    docker_username: str = ""
    docker_organisation: str = ""
    registry_address: str = ""  # other: host or host:port, no scheme
    registry_project: str = ""  # other and ACR: the level between the host and the prefix
    registry_username: str = ""  # other
    registry_token_url: str = ""  # other: only where the registry does not tell it by itself

    #: Who may use it. With GitHub: these organisations' members, or everyone who has an account there.
    access: Access = "public"
    github_client_id: str = ""
    github_organisations: tuple[str, ...] = ()
    github_everyone: bool = False

    #: An address of one's own, a CNAME of the hub's DNS label.
    domain: str = ""

    #: Whether a token for private GitHub repositories is in the vault.
    private_repositories: bool = False
    #: A folder per signed-in user that survives, in GiB; 0 for none.
    storage_gib: int = 0

    tier: Tier = "Free"
    os_disk_gib: int = 0
    #: A second pool for people's sessions, between these numbers of nodes; without a size there is one pool for all.
    user_node_size: str = ""
    user_nodes_min: int = 0
    user_nodes_max: int = 0

    #: Look: texts, and a Git repository with own templates and logo.
    title: str = ""
    banner: str = ""
    template_repository: str = ""
    template_branch: str = ""

    #: Limits. Memory in GiB and CPUs for each session; idle minutes before it is stopped; sessions at a time.
    user_memory_gib: float = 0
    user_cpus: float = 0
    idle_minutes: int = 0
    most_sessions: int = 0
    allowed_repositories: tuple[str, ...] = ()
    banned_repositories: tuple[str, ...] = ()

    #: Expert values: YAML laid over what Slipway renders, kept as typed.
    overlay: str = ""

    @property
    def image_namespace(self) -> str:
        """The Docker Hub user or organisation that images are pushed to."""
        return self.docker_organisation or self.docker_username

    @property
    def signs_in(self) -> bool:
        """Whether people need an account to use the hub."""
        return self.access == "github"

    @property
    def has_user_pool(self) -> bool:
        return bool(self.user_node_size)

    def to_json(self) -> dict[str, Any]:
        several = {name: list(getattr(self, name)) for name in SEVERAL}
        return asdict(self) | several | {"version": VERSION, "keep_until": self.keep_until.isoformat()}

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
        for name in SEVERAL:
            values[name] = tuple(values.get(name, ()))
        return cls(**values)
