"""A public resolver over HTTPS, in the JSON that Google's and others' speak, and the records that a test makes."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.core import Core
from sandbox.dns import zone

NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "CAA": 257}
TTL = 300


def routes(core: Core) -> list[BaseRoute]:
    bucket = core.state.bucket(zone.BUCKET)

    async def resolve(request: Request) -> Response:
        name, kind = zone.plain(request.query_params.get("name", "")), _type(request.query_params.get("type", "1"))
        if not NAME.fullmatch(name) or kind is None:
            return JSONResponse({"error": f"Invalid name or type: {request.url.query}"}, 400)
        return JSONResponse(_answer(name, kind, zone.resolve(core, name, kind)))

    async def records(request: Request) -> Response:
        """POST {"name", "type": "CNAME"|"A", "value"} makes a record; DELETE {"name"} removes it."""
        if request.method == "GET":
            return JSONResponse(dict(bucket.items()))
        body = await request.json()
        if request.method == "DELETE":
            return JSONResponse({"removed": bucket.delete(zone.plain(body["name"]))})
        if body.get("type") not in zone.KINDS or not NAME.fullmatch(zone.plain(body.get("name", ""))):
            return JSONResponse({"error": "name, type (CNAME or A) and value are needed"}, 400)
        bucket.put(zone.plain(body["name"]), {"type": body["type"], "value": body["value"]})
        return JSONResponse({"ok": True}, 201)

    return [
        Route("/dns/resolve", resolve),
        Route("/_sandbox/dns/records", records, methods=["GET", "POST", "DELETE"]),
    ]


def _type(asked: str) -> int | None:
    if asked.isdecimal():
        return int(asked) if 1 <= int(asked) <= 65535 else None
    return TYPES.get(asked.upper())


def _answer(name: str, kind: int, found: zone.Found) -> dict[str, object]:
    head = {"Status": found.status, "TC": False, "RD": True, "RA": True, "AD": False, "CD": False}
    answer = [
        {"name": f"{each}.", "type": of, "TTL": TTL, "data": data if of == zone.A else f"{data}."}
        for each, of, data in found.records
    ]
    question = [{"name": f"{name}.", "type": kind}]
    return head | {"Question": question} | ({"Answer": answer} if answer else {})
