"""What the sandbox is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.charts import package


@dataclass(frozen=True)
class Config:
    """Settings of one sandbox process. `speed` divides every simulated duration (1 = realistic)."""

    home: Path
    port: int
    hub_port: int
    speed: float = 5.0
    hubs: bool = True
    #: Whether the profile's hubs are reached by HTTPS; a hub that is installed with it speaks it in any case.
    https: bool = False
    controllers: bool = True
    kubeconfig: Path | None = None
    chart_repository: str = ""
    chart_version: str = package.VERSION
    host: str = "127.0.0.1"

    @property
    def origin(self) -> str:
        return f"https://{self.host}:{self.port}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Config:
        kubeconfig = environ.get("SANDBOX_KUBECONFIG")
        repository = environ.get("SANDBOX_CHART_REPOSITORY", "")
        # A repository of somebody else's has the real chart, not our stand-in.
        version = package.REAL_VERSION if repository else package.VERSION
        return cls(
            home=Path(environ.get("SANDBOX_HOME", "var/sandbox")).absolute(),
            port=int(environ.get("SANDBOX_PORT", "8443")),
            hub_port=int(environ.get("SANDBOX_HUB_PORT", "8480")),
            speed=float(environ.get("SANDBOX_SPEED", "5")),
            hubs=environ.get("SANDBOX_HUBS", "on") != "off",
            https=environ.get("SANDBOX_HTTPS", "off") == "on",
            controllers=environ.get("SANDBOX_CONTROLLERS", "on") != "off",
            kubeconfig=Path(kubeconfig).absolute() if kubeconfig else None,
            chart_repository=repository,
            chart_version=environ.get("SANDBOX_CHART_VERSION") or version,
        )
