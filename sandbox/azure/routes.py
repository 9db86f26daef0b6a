"""All of the simulated Azure: control, sign-in, vaults, prices, and ARM for the rest."""

from __future__ import annotations

from functools import partial

from starlette.routing import BaseRoute, Route

from sandbox.azure import control, entra, network, prices, vault_data, vaults
from sandbox.azure.arm import ArmRoute
from sandbox.azure.store import Store
from sandbox.core import Core


def routes(core: Core) -> list[BaseRoute]:
    vaults.seed(Store(core))
    core.services["refuse address"] = partial(network.refuse_address, Store(core))
    return [
        *control.routes(core),
        *vault_data.routes(core),
        Route("/api/retail/prices", lambda request: prices.prices(core, request)),
        *entra.routes(core),
        ArmRoute(core),
    ]
