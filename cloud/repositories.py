"""Git repositories and the tokens that open private ones, looked at without cloning anything."""

import re
from typing import Literal

import httpx

from cloud import web
from cloud.errors import InvalidRequest, SlipwayError
from cloud.profile import AzureCloud

PATIENCE = httpx.Timeout(10.0, connect=5.0)
MOST = 4_000_000  # bytes of an answer
BRANCH = re.compile(rb"[0-9a-f]{40,64} refs/heads/([^\n\0]+)")


def branches(profile: AzureCloud, address: str) -> tuple[str, ...]:
    """The branches of a public repository, by Git's own protocol.

    :raises InvalidRequest: nobody may read it without signing in, or it is not there.
    :raises Unavailable: it did not answer.
    """
    url = f"{address.rstrip('/')}/info/refs"
    client = web.client(url, ca_bundle=profile.ca_bundle, timeout=PATIENCE, follow_redirects=True)
    with client as http, web.reaching(address):
        answer = http.get(url, params={"service": "git-upload-pack"})
        if patience := web.not_now(answer, address):
            raise patience
        kind = answer.headers.get("content-type", "")
        if answer.status_code != 200 or "git-upload-pack" not in kind or len(answer.content) > MOST:
            raise InvalidRequest(f"There is no public Git repository at {address}.")
        return tuple(name.decode(errors="replace") for name in BRANCH.findall(answer.content))


def github_token(profile: AzureCloud, token: str) -> Literal["ok", "refused", "unreachable"]:
    """Whether GitHub accepts the token."""
    url = f"{profile.github_api}/user"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    try:
        with web.client(url, ca_bundle=profile.ca_bundle, timeout=PATIENCE) as http, web.reaching("GitHub"):
            answer = http.get(url, headers=headers)
            if trouble := web.not_now(answer, "GitHub") or web.not_from(answer, "GitHub"):
                raise trouble
    except SlipwayError:
        return "unreachable"
    return "ok" if answer.status_code == 200 else "refused"
