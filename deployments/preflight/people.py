"""Who may use the hub: what public means, the GitHub app, private repositories, storage."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.naming import Names
from deployments.preflight.facts import Check, Facts, Finding, error, warning
from deployments.preflight.words import listed
from deployments.spec import HubSpec


def _public(_facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if spec.signs_in:
        return
    yield warning(
        "public-hub",
        "Anyone who finds the link can run programs on your machines, at your cost.",
        "Give the link only to people you trust and set limits, or have people sign in with GitHub.",
        "access",
    )
    if spec.private_repositories:
        yield error(
            "private-and-public",
            "With a token for private repositories, anyone with the link could read what the token reads.",
            "Have people sign in with GitHub, or leave the token out.",
            "private_token",
        )
    if spec.storage_gib:
        yield error(
            "storage-needs-sign-in",
            "A folder that survives belongs to a person, so people must sign in to have one.",
            "Have people sign in with GitHub, or leave the folder out.",
            "storage_gib",
        )


def _nobody(_facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if spec.signs_in and not spec.github_everyone and not spec.github_organisations:
        yield error(
            "nobody-gets-in",
            "No organisation is named, so nobody could sign in.",
            "Name at least one GitHub organisation, or let in everyone who has an account there.",
            "github_organisations",
        )


def _organisations(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    unknown = [name for name in spec.github_organisations if name in facts.unknown_organisations]
    if spec.signs_in and unknown:
        yield error(
            "github-organisation-unknown",
            f"GitHub knows no organisation called {listed(unknown, 'or')}: nobody could sign in as its member.",
            "Check the spelling: it is the last part of the organisation's address, github.com/….",
            "github_organisations",
        )


def _github(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if not spec.signs_in or facts.github_app is None:
        return
    told = {
        "unknown-client": error(
            "github-client-unknown",
            f"GitHub knows no app with the client ID {spec.github_client_id}.",
            "Copy the client ID from your OAuth app's page on GitHub.",
            "github_client_id",
        ),
        "wrong-secret": error(
            "github-secret-wrong",
            "GitHub does not accept this client secret for the app.",
            "Make a new client secret on the app's page on GitHub and copy it here.",
            "github_secret",
        ),
        "other-callback": error(
            "github-callback",
            "The app on GitHub has another callback address than this hub.",
            f"Set its authorization callback URL on GitHub to exactly {facts.callback}",
            "github_client_id",
        ),
        "unreachable": warning(
            "github-unreachable",
            "GitHub did not answer just now, so the app could not be tried.",
            "It is tried again when you send the form.",
            "github_client_id",
        ),
    }
    if finding := told.get(facts.github_app):
        yield finding


def _private(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if not spec.private_repositories:
        return
    what = {"refused": "is not accepted by GitHub", "expired": "has expired"}.get(facts.private_token or "")
    if what:
        yield error(
            "private-token-refused",
            f"The token for private repositories {what}.",
            "Make a new one on GitHub that may read the repositories.",
            "private_token",
        )
    yield warning(
        "private-repositories",
        "Everyone who may use the hub can open every repository that this token can read.",
        "Use a token that reads only the repositories meant for these people.",
        "private_token",
    )


CHECKS: tuple[Check, ...] = (_public, _nobody, _organisations, _github, _private)
