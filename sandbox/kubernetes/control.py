"""`/_sandbox/kubernetes/…`: sets states that tests and demos need."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kubernetes.clusters import Clusters

DEFAULT_POOL = {"name": "nodepool1", "count": 1, "vmSize": "Standard_D2s_v3", "labels": {}, "taints": []}


def routes(clusters: Clusters) -> list[BaseRoute]:
    control = _Control(clusters)
    root = "/_sandbox/kubernetes"
    return [
        Route(f"{root}/clusters", control.clusters, methods=["GET", "POST"]),
        Route(f"{root}/clusters/{{key}}", control.cluster, methods=["DELETE"]),
        Route(f"{root}/clusters/{{key}}/kubeconfig", control.kubeconfig),
        Route(f"{root}/clusters/{{key}}/power", control.power, methods=["POST"]),
        Route(f"{root}/symptoms", control.symptoms, methods=["GET", "POST", "DELETE"]),
    ]


class _Control:
    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    async def clusters(self, request: Request) -> Response:
        """POST {name, region, version, pools} makes one and answers {key}."""
        if request.method == "GET":
            return JSONResponse({"keys": self._clusters.keys()})
        asked = await request.json()
        key = asked.get("key") or asked["name"].lower()
        self._clusters.ensure(
            key,
            name=asked["name"],
            region=asked.get("region", "uksouth"),
            version=asked.get("version", "1.34.2"),
            pools=[DEFAULT_POOL | pool for pool in asked.get("pools") or [{}]],
        )
        return JSONResponse({"key": key}, 201)

    async def cluster(self, request: Request) -> Response:
        self._clusters.remove(request.path_params["key"])
        return JSONResponse({"removed": request.path_params["key"]})

    async def kubeconfig(self, request: Request) -> Response:
        key = request.path_params["key"]
        if key not in self._clusters.live:
            return JSONResponse({"error": f"no cluster {key}"}, 404)
        return Response(self._clusters.kubeconfig(key), media_type="application/yaml")

    async def power(self, request: Request) -> Response:
        """POST {running: bool}."""
        running = bool((await request.json())["running"])
        self._clusters.set_power(request.path_params["key"], running)
        return JSONResponse({"running": running})

    async def symptoms(self, request: Request) -> Response:
        """POST {cluster?, namespace?, pod (a prefix), kind, message?} makes such pods fail; DELETE heals them all."""
        if request.method == "POST":
            self._clusters.symptoms.append(await request.json())
        if request.method == "DELETE":
            self._clusters.symptoms.clear()
        if request.method != "GET":
            self._clusters.wake_all()
        return JSONResponse(self._clusters.symptoms)
