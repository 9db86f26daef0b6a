"""`/_sandbox/kubernetes/…`: sets states that tests and demos need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kubernetes.clusters import Cluster, Clusters
from sandbox.kubernetes.kinds import BY_RESOURCE
from sandbox.kubernetes.symptoms import wished

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
        Route(f"{root}/lines", control.lines, methods=["POST"]),
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
        """POST {cluster?, namespace?, kind, message?, and a name's beginning} makes such things fail; DELETE heals all.

        The name is that of a `pod`, `service`, `node` or `claim`. With `replace` such pods are thrown away first, as
        when their machine is exchanged: what they come back as has the symptom.
        """
        if request.method == "POST":
            wish = await request.json()
            self._clusters.symptoms.append(wish)
            if wish.get("replace"):
                self._throw_away(wish)
        if request.method == "DELETE":
            self._clusters.symptoms.clear()
        if request.method != "GET":
            self._clusters.wake_all()
        return JSONResponse(self._clusters.symptoms)

    async def lines(self, request: Request) -> Response:
        """POST {cluster?, namespace?, pod (a prefix), container?, lines} has such pods print them."""
        asked = await request.json()
        found = list(self._pods(asked))
        for cluster, pod in found:
            container = asked.get("container") or pod["spec"]["containers"][0]["name"]
            for line in asked["lines"]:
                cluster.logs.append(pod["metadata"]["uid"], container, line)
        return JSONResponse({"pods": [pod["metadata"]["name"] for _, pod in found]})

    def _throw_away(self, wish: dict[str, Any]) -> None:
        for cluster, pod in self._pods(wish):
            cluster.gate.delete(BY_RESOURCE["pods"], pod, {"gracePeriodSeconds": 0})

    def _pods(self, wish: dict[str, Any]) -> Iterator[tuple[Cluster, dict[str, Any]]]:
        for key, cluster in self._clusters.live.items():
            for pod in cluster.store.list("pods"):
                meta = pod["metadata"]
                if wished([wish], "pod", key, meta["namespace"], meta["name"]):
                    yield cluster, pod
