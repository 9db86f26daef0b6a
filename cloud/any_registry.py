"""Any registry, by the protocol that all of them speak: whether a sign-in may push."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin, urlsplit

import httpx

from cloud import web
from cloud.errors import SlipwayError
from cloud.profile import AzureCloud

State = Literal["ok", "sign-in-refused", "push-refused", "not-a-registry", "bad-certificate", "unreachable"]
PATIENCE = httpx.Timeout(10.0, connect=5.0)
NOBODY = httpx.Auth()  # says nothing of its own: the header does


@dataclass(frozen=True, slots=True)
class Place:
    """Whose registry, which repository in it, and where its tokens are, if a person had to say so."""

    host: str
    repository: str
    token_url: str = ""


def try_push(profile: AzureCloud, place: Place, username: str, password: str) -> State:
    """Begin an upload as this user and take it back: nothing is left there."""
    base = f"https://{place.host}"
    try:
        with web.client(base, ca_bundle=profile.ca_bundle, timeout=PATIENCE) as http, web.reaching(place.host):
            return _tried(http, base, place, httpx.BasicAuth(username, password))
    except SlipwayError as error:
        return "bad-certificate" if "CERTIFICATE_VERIFY_FAILED" in str(error.__cause__) else "unreachable"


def _tried(http: httpx.Client, base: str, place: Place, person: httpx.Auth) -> State:
    greeting = http.get(f"{base}/v2/")
    scheme, _, challenge = greeting.headers.get("www-authenticate", "").partition(" ")
    spoken = "docker-distribution-api-version" in greeting.headers or greeting.status_code in (200, 401)
    if patience := web.not_now(greeting, place.host):
        raise patience
    if not spoken or (greeting.status_code == 401 and not scheme):
        return "not-a-registry"
    if greeting.status_code == 200 and "json" not in greeting.headers.get("content-type", "json"):
        return "not-a-registry"  # some page that answers to every address
    if scheme.lower() != "bearer":
        return _pushed(http, base, place, {}, person)
    token = _token(http, place, challenge, person)
    return _pushed(http, base, place, {"Authorization": f"Bearer {token}"}, NOBODY) if token else "sign-in-refused"


def _token(http: httpx.Client, place: Place, challenge: str, person: httpx.Auth) -> str:
    told = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = place.token_url or told.get("realm", "")
    if urlsplit(realm).scheme != "https":
        return ""  # a password goes nowhere in the clear
    query = {"scope": f"repository:{place.repository}:pull,push"}
    if "service" in told:
        query["service"] = told["service"]
    answer = http.get(realm, params=query, auth=person)
    if trouble := web.not_now(answer, place.host) or web.not_from(answer, place.host):
        raise trouble
    content = web.body(answer, place.host) if answer.status_code == 200 else {}
    return str(content.get("token") or content.get("access_token") or "")


def _pushed(http: httpx.Client, base: str, place: Place, headers: dict[str, str], person: httpx.Auth) -> State:
    start = f"{base}/v2/{place.repository}/blobs/uploads/"
    answer = http.post(start, headers=headers, auth=person)
    if answer.status_code == 202:
        if upload := answer.headers.get("location"):
            http.delete(urljoin(start, upload), headers=headers, auth=person)
        return "ok"
    if trouble := web.not_now(answer, place.host) or web.not_from(answer, place.host, but=range(400)):
        raise trouble
    # With a password each time, 401 says who; with a token the sign-in went well before.
    return "sign-in-refused" if person is not NOBODY and answer.status_code == 401 else "push-refused"
