"""`/_sandbox/hubs/…`: what tests and demos may set of the world that hubs see."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.core import Core
from sandbox.hubs import repositories


def routes(core: Core) -> list[BaseRoute]:
    async def known(request: Request) -> Response:
        """POST {"name": "owner/repository", "refs": ["HEAD", "main"]} adds a public repository."""
        bucket = core.state.bucket(repositories.BUCKET)
        if request.method == "POST":
            asked = await request.json()
            bucket.put(asked["name"], {"refs": asked.get("refs") or ["HEAD", "main"]})
        return JSONResponse(sorted({*repositories.KNOWN, *bucket.keys()}))

    return [Route("/_sandbox/hubs/repositories", known, methods=["GET", "POST"])]
