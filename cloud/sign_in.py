"""A hub's sign-in, tried as far as somebody gets who does not sign in: to GitHub's own page."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

from cloud import web
from cloud.errors import InvalidRequest, PermanentError, SignInFailed, Unavailable
from cloud.github import GITHUB, MISMATCH, redirect_mismatch
from cloud.profile import AzureCloud

THE_HUB = "The hub"
PATIENCE = httpx.Timeout(20.0, connect=10.0)
#: A stranger is led from the hub's address to its binder and on to its sign-in.
MOST_TURNS = 12
#: What JupyterHub's and BinderHub's pages say of who sends them; a network's portal says something else.
HUBS_SERVER = "TornadoServer/"
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class App:
    """How the hub must present itself at GitHub."""

    client_id: str
    callback: str
    scopes: frozenset[str] = frozenset()


def try_sign_in(profile: AzureCloud, address: str, app: App) -> None:
    """Return when a stranger is asked to sign in, is sent to GitHub as this app, and GitHub shows its page.

    :raises PermanentError: one of these is not so. Unavailable: the hub or GitHub did not answer as they do.
    """
    with web.client(address, ca_bundle=profile.ca_bundle, timeout=PATIENCE) as http, web.reaching(THE_HUB):
        _asked_to_sign_in(http, address)
        where = _sent_on(http, f"{address}hub/oauth_login?next=%2Fhub%2F")
    _presents_itself_as(profile, app, where)
    _github_opens(profile, app, where)


def _asked_to_sign_in(http: httpx.Client, address: str) -> None:
    url = address
    for _ in range(MOST_TURNS):
        answer = http.get(url)
        if patience := web.not_now(answer, THE_HUB):
            raise patience
        if answer.status_code not in REDIRECTS:
            break
        url = urljoin(url, answer.headers.get("location", ""))
        if _origin(url) != _origin(address):
            return  # at GitHub already: a hub may be told not to show a page of its own before
    if not urlsplit(url).path.endswith("/hub/login"):
        if not answer.headers.get("server", "").startswith(HUBS_SERVER):
            raise Unavailable("Something other than the hub answered.", web.AGAIN)
        raise PermanentError(
            f"The hub let a stranger in without a sign-in, as far as {urlsplit(url).path}.",
            "If you gave expert values, see that they do not switch the sign-in off; then try again.",
            code="NoSignIn",
        )


def _sent_on(http: httpx.Client, url: str) -> str:
    answer = http.get(url)
    if patience := web.not_now(answer, THE_HUB):
        raise patience
    if answer.status_code not in REDIRECTS:
        raise Unavailable(f"The hub did not lead on to GitHub (status {answer.status_code}).", web.AGAIN)
    return str(urljoin(url, answer.headers.get("location", "")))


def _presents_itself_as(profile: AzureCloud, app: App, where: str) -> None:
    told = {key: values[0] for key, values in parse_qs(urlsplit(where).query).items()}
    wrong = [
        what
        for what, right in (
            ("address at GitHub", where.startswith(f"{profile.github}/login/oauth/authorize?")),
            ("client ID", told.get("client_id") == app.client_id),
            ("callback address", told.get("redirect_uri") == app.callback),
            ("scope", app.scopes <= set(told.get("scope", "").replace(",", " ").split())),
        )
        if not right
    ]
    if wrong:
        raise PermanentError(
            f"The hub sends people to GitHub with another {' and '.join(wrong)} than it was given.",
            "If you gave expert values about the sign-in, take them out; then try again.",
            code="OtherSignIn",
        )


def _github_opens(profile: AzureCloud, app: App, where: str) -> None:
    """GitHub asks who does not sign in to do so first; what it finds wrong before that it says at once."""
    with web.client(where, ca_bundle=profile.ca_bundle, timeout=PATIENCE) as http, web.reaching(GITHUB):
        answer = http.get(where)
    if patience := web.not_now(answer, GITHUB):
        raise patience
    if answer.status_code == 404:
        raise SignInFailed(
            f"GitHub knows no app with the client ID {app.client_id}.",
            "Copy the client ID from your OAuth app's page on GitHub into the hub's settings.",
            code="UnknownClient",
        )
    if MISMATCH in answer.headers.get("location", "") or MISMATCH in answer.text:
        raise redirect_mismatch(app.callback)
    if answer.status_code not in (200, *REDIRECTS):
        raise InvalidRequest(
            f"GitHub refused to show its sign-in page (status {answer.status_code}).",
            "Look at your OAuth app's page on GitHub: it may be suspended.",
            code="GitHubRefused",
        )


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
