"""Health, and the proof of life: a real repository launched through the hub's own build stream."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import unquote, urljoin, urlsplit

from django.utils import timezone

from cloud import binderhub
from cloud.binderhub import BuildOutcome, JupyterHub
from cloud.errors import NotYet, PermanentError, SlipwayError, Throttled, Unavailable
from cloud.jupyterhub import Person, Server
from deployments.models import Event
from deployments.states import OperationKind
from worker.hub import HubContext
from worker.step import Found
from worker.steps.cause import Diagnosed, why_not_launched

REPOSITORY = "binder-examples/requirements"
PROBE_USER = "slipway-probe"
LAUNCHING, TIDY = "launching", "tidy"
#: A server that has just started may take a moment to answer (seconds).
FIRST_ANSWER = 15.0
#: After so many that did not, another launch would change nothing.
MOST_MUTE = 3


class Health(Diagnosed):
    """The hub itself says that its registry and its JupyterHub are in order."""

    name, title, expected, deadline = "health", "Hub healthy", 10, 15 * 60
    after = ("address", "workloads", "certificate")

    def check(self, ctx: HubContext) -> Found:
        try:
            health = binderhub.health(ctx.address, ctx.profile.ca_bundle)
        except Unavailable as error:
            return self.waiting(ctx, error.user_message.removesuffix("."))
        failing = [check.service for check in health.checks if not check.ok and check.counts]
        if not health.ok or failing:
            said = f"not well yet: {', '.join(failing) or 'the hub does not say why'}"
            return self.waiting(ctx, said, unhealthy=failing)
        return Found.ready(", ".join(check.service for check in health.checks) or "it says so itself")


class ProofOfLife(Diagnosed):
    """Builds, launches, sees the server answer, shuts it down; nothing of it keeps running."""

    name, title, after, expected, deadline = "proof", f"Proof of life: launch {REPOSITORY}", ("health",), 60, 40 * 60

    def check(self, ctx: HubContext) -> Found:
        if ctx.operation.result.get("proof") and ctx.run.token == TIDY:
            return Found.ready(f"{self.what(ctx)[0]} was launched and answered")
        if phase := ctx.cache.pop("build", ""):
            # Listened to in this very pass: the build goes on by itself, the next pass listens again.
            return Found.changing(f"the image is being made ({phase})", wait=0.5)
        return Found.absent()

    def what(self, ctx: HubContext) -> tuple[str, str]:
        """The repository (owner/name) and the branch, tag or commit."""
        return REPOSITORY, "HEAD"

    def explain(self, ctx: HubContext, error: SlipwayError) -> SlipwayError:
        """The cause: in the hub's own words, in the last lines of the build, or inside the cluster."""
        told = why_not_launched(ctx, error)
        if told is None:
            return error
        words = f"The hub could not launch {self.what(ctx)[0]}. {told.user_message}"
        return PermanentError(words, told.remedy, code=told.code)

    def apply(self, ctx: HubContext) -> None:
        api = JupyterHub(ctx.address, ctx.hub_tokens()["probe_api_token"], ctx.profile.ca_bundle)
        if proof := ctx.operation.result.get("proof"):
            return _tidy_up(ctx, api, self.what(ctx)[0], proof["guest"])
        if ctx.run.token == LAUNCHING and self._went_on(ctx, api):
            return None
        if ctx.run.token != LAUNCHING and ctx.spec.signs_in and _still_there(ctx, api):
            ctx.cache["build"] = "the server of an earlier launch is being shut down"
            return None
        token = _probe_token(ctx, api)
        ctx.hold()
        ctx.keep_token(LAUNCHING)
        outcome = binderhub.follow_build(
            ctx.address,
            "/".join(self.what(ctx)),
            token=token,
            ca_bundle=ctx.profile.ca_bundle,
            seconds=ctx.patience,
            on_lines=ctx.log_lines,
            seen=_told(ctx),
        )
        if not outcome.done:
            ctx.cache["build"] = outcome.phase or "waiting"
            return None
        if outcome.phase == "failed":
            raise _failure(outcome, self.what(ctx)[0])
        # Where people sign in, what the hub hands out with the launch opens nothing: its owner's own token does.
        return self._prove(ctx, api, replace(outcome, server_token=token) if token else outcome)

    def _went_on(self, ctx: HubContext, api: JupyterHub) -> bool:
        """Takes up a server that an earlier pass had launched and then lost sight of, instead of launching another."""
        probes = _probes(ctx, api, self.what(ctx)[0])
        name, server = next(((each.name, each.server) for each in probes if each.server), ("", None))
        if server is None:
            return False
        if not server.ready:
            ctx.cache["build"] = LAUNCHING
            return True
        ctx.log("A server had been launched already; it goes on with that one.")
        self._prove(ctx, api, _outcome(ctx, api, name, server))
        return True

    def _prove(self, ctx: HubContext, api: JupyterHub, outcome: BuildOutcome) -> None:
        repository, guest = self.what(ctx)[0], _guest(outcome.server_url)
        try:
            _await_answer(ctx, outcome)
        except SlipwayError:
            _tidy_up(ctx, api, repository, guest)
            raise
        ctx.log("The launched server answers; shutting it down.")
        started = ctx.run.started_at or ctx.now()
        # Kept before anything is shut down: whoever goes on after a crash then only tidies up.
        ctx.keep_result(
            proof={
                "repository": repository,
                "image": outcome.image,
                "guest": guest,
                "seconds": round((ctx.now() - started).total_seconds()),
                "at": timezone.now().isoformat(),
            }
        )
        _tidy_up(ctx, api, repository, guest)


class TryLaunch(ProofOfLife):
    """The same with any repository, as often as somebody likes."""

    name, title, after = "launch", "Launch", ("health",)

    def what(self, ctx: HubContext) -> tuple[str, str]:
        arguments = ctx.operation.arguments
        return str(arguments["repository"]), str(arguments.get("ref") or "HEAD")


def _probe_token(ctx: HubContext, api: JupyterHub) -> str | None:
    """On a hub with sign-in a probe user launches; its token lives an hour at most and goes with the user."""
    if not ctx.spec.signs_in:
        return None
    api.create_user(PROBE_USER)
    return api.create_token(PROBE_USER)


def _still_there(ctx: HubContext, api: JupyterHub) -> bool:
    """Shuts down what an earlier run had launched and could not remove: the probe's user has one server at a time."""
    left = [person for person in api.people() if person.name == PROBE_USER and person.server]
    for person in left:
        ctx.hold()
        api.stop_server(person.name)
    return bool(left)


def _probes(ctx: HubContext, api: JupyterHub, repository: str, known: str = "") -> list[Person]:
    """Who is on the hub because of us.

    On a hub that has not been handed over yet every guest of the repository is ours, also one that a killed worker has
    left running. On one in use only the guest we know is: what a killed worker leaves there, the hub's own culling
    removes when it has been idle.
    """
    guest = repository.replace("/", "-").lower() + "-"  # BinderHub names the guests it makes for a repository after it
    alone = ctx.operation.kind == OperationKind.PROVISION
    ours = {PROBE_USER, known}
    return [each for each in api.people() if each.name in ours or (alone and each.name.startswith(guest))]


def _tidy_up(ctx: HubContext, api: JupyterHub, repository: str, known: str = "") -> None:
    """Removes the probe's users with their servers."""
    for person in _probes(ctx, api, repository, known):
        api.stop_server(person.name)
        api.delete_user(person.name)
    ctx.keep_token(TIDY)


def _outcome(ctx: HubContext, api: JupyterHub, name: str, server: Server) -> BuildOutcome:
    """What the launch would have told, had somebody listened to its end."""
    token = api.create_token(name) if ctx.spec.signs_in else server.token
    url = urljoin(ctx.address, server.path)
    return BuildOutcome("ready", image=server.image, server_url=url, server_token=token, done=True)


def _guest(server_url: str) -> str:
    """The user of a server, whose address is `…/user/<name>/`."""
    return unquote(urlsplit(server_url).path.partition("/user/")[2].partition("/")[0])


def _told(ctx: HubContext) -> set[str]:
    """What the log has of the build already: a stream taken up again repeats itself."""
    told = Event.objects.filter(operation=ctx.operation, step=ctx.run.name)
    return set(told.values_list("message", flat=True))


def _await_answer(ctx: HubContext, outcome: BuildOutcome) -> None:
    until = time.monotonic() + FIRST_ANSWER
    while not binderhub.server_answers(outcome.server_url, outcome.server_token, ctx.profile.ca_bundle):
        if time.monotonic() < until:
            time.sleep(0.2)
        elif ctx.run.attempts < MOST_MUTE:
            raise NotYet("The launched server does not answer yet.", delay=5.0)
        else:
            raise PermanentError(
                "The hub calls the servers that it launches ready, but none of them answers.",
                "Look inside the hub at what its proxy prints, then try again.",
                code="ServerMute",
            )


def _failure(outcome: BuildOutcome, repository: str) -> Exception:
    if outcome.status_code == 429:
        return Throttled("The hub has had too many launches from here lately.", "It is tried again later.", delay=60.0)
    return PermanentError(
        f"The hub could not launch {repository}: {outcome.message or 'it did not say why'}",
        "The lines above tell where it stopped. If it is the registry, check the Docker Hub access token; then try"
        " again.",
        code="LaunchFailed",
    )
