"""Where a name leads, as the whole internet sees it: asked of a public resolver over HTTPS.

A certificate authority looks from there too. This machine's own resolver may know an inner view of an institution's
names, and remembers for hours that a name did not exist.
"""

from dataclasses import dataclass
from typing import Any, Literal

import httpx

from cloud import web
from cloud.errors import Unavailable
from cloud.profile import AzureCloud

WHOM = "The DNS service"
PATIENCE = httpx.Timeout(6.0, connect=3.0)
A, CNAME = 1, 5
#: The name is there; there is no such name, which an alias to a name that does not exist yet gives as well.
NOERROR, NXDOMAIN = 0, 3


@dataclass(frozen=True, slots=True)
class Answer:
    """The aliases on a name's way, in their order, and the addresses at its end."""

    aliases: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lead:
    """Whether a name leads to another one, and where it leads instead."""

    state: Literal["ok", "missing", "elsewhere"]
    found: str = ""


def look_up(profile: AzureCloud, name: str) -> Answer:
    """What the public internet is told about a name; nothing for one that does not exist.

    :raises Unavailable: nobody could say.
    """
    with web.client(profile.dns, ca_bundle=profile.ca_bundle, timeout=PATIENCE) as http, web.reaching(WHOM):
        answer = http.get(profile.dns, params={"name": name, "type": "A"}, headers={"Accept": "application/dns-json"})
        if patience := web.not_now(answer, WHOM):
            raise patience
        content = web.body(answer, WHOM) if answer.status_code == 200 else {}
    if content.get("Status") not in (NOERROR, NXDOMAIN):
        raise Unavailable(f"{WHOM} could not say where {name} leads.", web.AGAIN)
    records = [each for each in content.get("Answer") or [] if isinstance(each, dict)]
    return Answer(_of(records, CNAME), _of(records, A))


def leads_to(profile: AzureCloud, name: str, wanted: str) -> Lead:
    """Whether `name` leads to `wanted`: by an alias, or, where that is not possible, by the same addresses.

    :raises Unavailable: nobody could say.
    """
    found = look_up(profile, name)
    if wanted.lower() in found.aliases:
        return Lead("ok")
    if not found.aliases and not found.addresses:
        return Lead("missing")
    if found.addresses and set(found.addresses) <= set(look_up(profile, wanted).addresses):
        return Lead("ok")
    return Lead("elsewhere", (found.aliases[-1:] or found.addresses)[0])


def _of(records: list[dict[str, Any]], kind: int) -> tuple[str, ...]:
    return tuple(str(each.get("data", "")).lower().rstrip(".") for each in records if each.get("type") == kind)
