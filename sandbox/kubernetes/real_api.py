"""A real cluster's API, by its kubeconfig: calls, and watches that keep a mirror of its objects."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import ssl
import tempfile
from pathlib import Path

import httpx
import yaml

from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.store import Body, Store

RETRY_SECONDS = 2.0
CALL_SECONDS = 10.0
#: Helm keeps its releases as Secrets; nobody here reads them.
_SELECTORS = {"secrets": "type!=helm.sh/release.v1"}


class RealApi:
    """Calls are synchronous and short; only watches are awaited."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        context = next(c["context"] for c in config["contexts"] if c["name"] == config["current-context"])
        cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == context["cluster"])
        user = next(u["user"] for u in config["users"] if u["name"] == context["user"])
        self._trust = _trust(cluster, user)
        self._base = cluster["server"].rstrip("/")
        self._headers = {"Authorization": f"Bearer {user['token']}"} if user.get("token") else {}
        self._client = httpx.Client(verify=self._trust, headers=self._headers, timeout=CALL_SECONDS)

    def call(self, method: str, path: str, body: Body | None = None, **query: str) -> Body:
        """Raises ApiError with the server's own Status, or 503 when it does not answer."""
        try:
            answer = self._client.request(method, self._base + path, json=body, params=query)
            content: Body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ApiError(503, "ServiceUnavailable", f"the real cluster does not answer: {error}") from error
        if answer.is_error:
            raise ApiError(answer.status_code, content.get("reason", ""), content.get("message", ""))
        return content

    async def follow(self, kind: Kind, store: Store) -> None:
        """Keeps the store's objects of one kind as the real ones are, until cancelled."""
        async with httpx.AsyncClient(verify=self._trust, headers=self._headers, timeout=CALL_SECONDS) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):
                    version = await self._list(client, kind, store)
                    await self._watch(client, kind, store, version)
                await asyncio.sleep(RETRY_SECONDS)

    async def _list(self, client: httpx.AsyncClient, kind: Kind, store: Store) -> str:
        answer = await client.get(self._base + path_of(kind), params=_query(kind))
        found: Body = answer.raise_for_status().json()
        now = {(item["metadata"].get("namespace", ""), item["metadata"]["name"]) for item in found["items"]}
        for old in store.list(kind.resource):
            meta = old["metadata"]
            if (meta.get("namespace", ""), meta["name"]) not in now:
                store.remove(kind.resource, meta.get("namespace"), meta["name"])
        for item in found["items"]:
            store.mirror(kind.resource, {"apiVersion": kind.api_version, "kind": kind.kind} | item)
        return str(found["metadata"]["resourceVersion"])

    async def _watch(self, client: httpx.AsyncClient, kind: Kind, store: Store, version: str) -> None:
        query = _query(kind) | {"watch": "true", "resourceVersion": version}
        async with client.stream("GET", self._base + path_of(kind), params=query, timeout=None) as lines:
            async for line in lines.aiter_lines():
                event = json.loads(line)
                body = event["object"]
                if event["type"] in ("ADDED", "MODIFIED"):
                    store.mirror(kind.resource, body)
                elif event["type"] == "DELETED":
                    store.remove(kind.resource, body["metadata"].get("namespace"), body["metadata"]["name"])
                elif event["type"] == "ERROR":
                    return

    def close(self) -> None:
        self._client.close()


def path_of(kind: Kind, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The address of a kind's objects, or of one."""
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
    space = f"/namespaces/{namespace}" if namespace and kind.namespaced else ""
    return "/".join(part for part in (f"{root}{space}/{kind.resource}", name, subresource) if part)


def _query(kind: Kind) -> dict[str, str]:
    selector = _SELECTORS.get(kind.resource)
    return {"fieldSelector": selector} if selector else {}


def _trust(cluster: Body, user: Body) -> ssl.SSLContext:
    """The CA and client certificate of a kubeconfig, given as data or as files."""
    data = cluster.get("certificate-authority-data")
    if data:
        context = ssl.create_default_context(cadata=base64.b64decode(data).decode())
    else:
        context = ssl.create_default_context(cafile=cluster.get("certificate-authority"))
    if user.get("client-certificate-data"):
        pem = b"".join(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key"))
        _load_pair(context, pem)
    elif user.get("client-certificate"):
        context.load_cert_chain(user["client-certificate"], user["client-key"])
    return context


def _load_pair(context: ssl.SSLContext, pem: bytes) -> None:
    """OpenSSL takes files only: one for a moment, readable by nobody else."""
    number, name = tempfile.mkstemp()
    try:
        with os.fdopen(number, "wb") as file:
            file.write(pem)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
