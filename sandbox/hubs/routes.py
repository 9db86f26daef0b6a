"""`/_sandbox/hubs/…`: what tests and demos may set of the world that hubs see."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.core import Core
from sandbox.hubs import repositories
from sandbox.hubs.certificates import LIFETIME, hosts_of


def routes(core: Core) -> list[BaseRoute]:
    async def known(request: Request) -> Response:
        """POST {"name": "owner/repository", "refs": ["HEAD", "main"]} adds a public repository."""
        bucket = core.state.bucket(repositories.BUCKET)
        if request.method == "POST":
            asked = await request.json()
            bucket.put(asked["name"], {"refs": asked.get("refs") or ["HEAD", "main"]})
        return JSONResponse(sorted({*repositories.KNOWN, *bucket.keys()}))

    async def certificate(request: Request) -> Response:
        """POST {"address", "days"?, "names"?}: the hub there shows a certificate like this, and none is made anew.

        POST {"refusals": 2}: the authority says no the next two times, to whomever.
        """
        asked, certificates = await request.json(), core.services["certificates"]
        if "refusals" in asked:
            certificates.refusals = int(asked["refusals"])
            return JSONResponse({"refusals": certificates.refusals}, 201)
        hub = certificates.world.at(asked["address"])
        if hub is None:
            return JSONResponse({"error": "no hub answers at this address"}, 404)
        names = asked.get("names") or hosts_of(hub)
        certificates.give(hub.key, names, float(asked.get("days", LIFETIME.days)), held=True)
        return JSONResponse({"names": names}, 201)

    return [
        Route("/_sandbox/hubs/repositories", known, methods=["GET", "POST"]),
        Route("/_sandbox/hubs/certificates", certificate, methods=["POST"]),
    ]
