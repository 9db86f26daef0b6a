"""Every cluster's API under `/k8s/<cluster>/`, and the control of the simulated clusters."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.core import Core
from sandbox.kubernetes import address, control, credentials, discovery, errors, handlers
from sandbox.kubernetes.clusters import Clusters
from sandbox.kubernetes.discovery import Document
from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.handlers import answer

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
ROOT_PATHS = ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]
HEALTH = {"healthz", "livez", "readyz"}


def routes(core: Core) -> list[BaseRoute]:
    clusters = Clusters(core)
    core.services["kubernetes"] = clusters
    serve = _Server(clusters)
    return [
        *control.routes(clusters),
        Route("/k8s/{cluster}", serve.endpoint, methods=METHODS),
        Route("/k8s/{cluster}/{path:path}", serve.endpoint, methods=METHODS),
    ]


class _Server:
    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    async def endpoint(self, request: Request) -> Response:
        try:
            return await self._serve(request, request.path_params["cluster"])
        except ApiError as error:
            return answer(error.status(), error.code)

    async def _serve(self, request: Request, key: str) -> Response:
        cluster = self._clusters.live.get(key)
        if cluster is None:
            raise errors.no_such_resource()
        about = self._clusters.about(key)
        if not about["running"]:
            raise errors.unavailable("the cluster is stopped: its API server is not running")
        parts = [part for part in request.path_params.get("path", "").split("/") if part]
        if parts and parts[0] in HEALTH:
            return PlainTextResponse("ok")
        if not credentials.allowed(request.headers.get("authorization"), about["token"]):
            raise errors.unauthorized()
        if found := self._discovery(request, parts, about["version"]):
            return found
        return await handlers.handle(cluster, request, address.parse(parts))

    def _discovery(self, request: Request, parts: list[str], version: str) -> Response | None:
        if parts in (["api"], ["apis"]) and "as=APIGroupDiscoveryList" in request.headers.get("accept", ""):
            response = answer(discovery.aggregated(parts == ["api"]))
            response.headers["content-type"] = discovery.AGGREGATED
            return response
        if parts[:2] == ["openapi", "v2"]:
            return Response(b"", media_type="application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
        if not parts or parts[0] in ("version", "openapi") or len(parts) <= (2 if parts[0] == "api" else 3):
            document = self._document(parts, version)
            return PlainTextResponse("404 page not found\n", 404) if document is None else answer(document)
        return None

    def _document(self, parts: list[str], version: str) -> Document | None:
        if parts[:2] == ["openapi", "v3"]:
            return _openapi(parts[2:])
        match parts:
            case []:
                return {"paths": ROOT_PATHS}
            case ["version"]:
                return discovery.version(f"v{version}")
            case ["api"]:
                return discovery.api_versions(self._clusters.core.config.origin.removeprefix("https://"))
            case ["api", at]:
                return discovery.resource_list("", at)
            case ["apis"]:
                return discovery.group_list()
            case ["apis", name]:
                found = discovery.group(name)
                return {"kind": "APIGroup", "apiVersion": "v1"} | found if found else None
            case ["apis", name, at]:
                return discovery.resource_list(name, at)
        return None


def _openapi(parts: list[str]) -> Document | None:
    match parts:
        case []:
            return discovery.openapi_index()
        case ["api", at]:
            return discovery.openapi_document("", at)
        case ["apis", name, at]:
            return discovery.openapi_document(name, at)
    return None
