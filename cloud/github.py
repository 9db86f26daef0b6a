"""GitHub: whether an OAuth app is what the form says, without signing anybody in."""

from collections.abc import Iterable

import httpx

from cloud import web
from cloud.errors import InvalidRequest, SignInFailed, SlipwayError, Unavailable
from cloud.profile import AzureCloud

GITHUB = "GitHub"
UNKNOWN_CLIENT, MISMATCH = "unknown_client", "redirect_uri_mismatch"
PATIENCE = httpx.Timeout(10.0, connect=5.0)
#: GitHub compares the code last: when it gets as far as refusing this one, all the rest is right.
IMPOSSIBLE_CODE = "slipway-checks-this-app"


def check_oauth_app(profile: AzureCloud, client_id: str, secret: str, callback: str) -> None:
    """Return when id, secret and callback address fit together.

    Raises SignInFailed (id or secret is wrong), InvalidRequest (another callback is registered), Unavailable.
    """
    form = {"client_id": client_id, "client_secret": secret, "redirect_uri": callback, "code": IMPOSSIBLE_CODE}
    with web.client(profile.github, ca_bundle=profile.ca_bundle) as http, web.reaching(GITHUB):
        answer = http.post(
            f"{profile.github}/login/oauth/access_token", data=form, headers={"Accept": "application/json"}
        )
        if patience := web.not_now(answer, GITHUB):
            raise patience
        complaint = UNKNOWN_CLIENT  # GitHub answers 404 where it does not know the id at all
        if answer.status_code != 404:
            complaint = str(web.body(answer, GITHUB).get("error", ""))
    error = _error(complaint, callback)
    if error is not None:
        raise error


def unknown_organisations(profile: AzureCloud, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that no organisation on GitHub has; what GitHub does not say counts as known."""
    with web.client(profile.github_api, ca_bundle=profile.ca_bundle, timeout=PATIENCE) as http, web.reaching(GITHUB):
        return tuple(name for name in names if http.get(f"{profile.github_api}/orgs/{name}").status_code == 404)


def new_app_link(profile: AzureCloud, name: str, home: str, callback: str) -> str:
    """GitHub's form for a new OAuth app, filled in."""
    fields = {"name": name, "url": home, "callback_url": callback}
    query = httpx.QueryParams({f"oauth_application[{key}]": value for key, value in fields.items()})
    return f"{profile.github}/settings/applications/new?{query}"


def redirect_mismatch(callback: str) -> InvalidRequest:
    """GitHub sends people back only to the address that was registered with it."""
    return InvalidRequest(
        "The OAuth app on GitHub has another callback address.",
        f"Set its authorization callback URL to exactly {callback}",
        code=MISMATCH,
    )


def _error(complaint: str, callback: str) -> SlipwayError | None:
    if complaint == "bad_verification_code":
        return None
    if complaint in (UNKNOWN_CLIENT, "incorrect_client_credentials"):
        return SignInFailed(
            "GitHub does not know this client ID, or the client secret does not belong to it.",
            "Copy both again from the OAuth app's page on GitHub; make a new secret if the old one is not to hand.",
            code=complaint,
        )
    if complaint == MISMATCH:
        return redirect_mismatch(callback)
    return Unavailable(f"GitHub gave an answer we do not understand ({complaint or 'no error'}).", web.AGAIN)
