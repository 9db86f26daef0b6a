"""The chart repository: /charts/index.yaml and the archives it names."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.charts import package
from sandbox.core import Core


def routes(_core: Core) -> list[BaseRoute]:
    archives = {release.filename: package.archive(release) for release in package.RELEASES}
    listing = package.index(archives)

    async def index(_request: Request) -> Response:
        return Response(listing, media_type="text/yaml")

    async def archive(request: Request) -> Response:
        content = archives.get(request.path_params["name"])
        if content is None:
            return PlainTextResponse("404: Not Found", status_code=404)
        return Response(content, media_type="application/gzip")

    return [Route("/charts/index.yaml", index), Route("/charts/{name}", archive)]
