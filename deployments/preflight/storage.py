"""Where images go: the registry's sign-in, its right to push, its limits."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.naming import Names
from deployments.preflight.facts import Check, Facts, Finding, error, warning
from deployments.spec import HubSpec

#: A workshop's worth of starts; below it people will meet the limit.
FEW_PULLS = 50
SECRET_FIELD = {"dockerhub": "docker_token", "other": "registry_token", "acr": "registry"}
USER_FIELD = {"dockerhub": "docker_username", "other": "registry_username", "acr": "registry"}


def _registry(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    if facts.registry is None:
        return
    where = "Docker Hub" if spec.registry == "dockerhub" else spec.registry_address
    secret = SECRET_FIELD[spec.registry]
    told = {
        "sign-in-refused": error(
            "registry-sign-in",
            f"{where} does not accept this username with this token.",
            "Check the username (not the e-mail address), and make a new access token that may read and write.",
            secret,
        ),
        "push-refused": _push_refused(spec, where),
        "not-a-registry": error(
            "registry-not-one",
            f"What answers at {where} is not a container registry.",
            "Give the registry's host name alone, like registry.example.org.",
            "registry_address",
        ),
        "bad-certificate": error(
            "registry-certificate",
            f"The certificate of {where} is not one that the hub's machines would trust.",
            "Ask whoever runs the registry for a certificate of a public authority, or use another registry.",
            "registry_address",
        ),
        "unreachable": warning(
            "registry-unreachable",
            f"{where} did not answer just now, so the sign-in could not be tried.",
            "It is tried again when you send the form, and before anything is made.",
            "registry_address" if spec.registry == "other" else "docker_username",
        ),
    }
    if finding := told.get(facts.registry.state):
        yield finding


def _push_refused(spec: HubSpec, where: str) -> Finding:
    if spec.registry == "dockerhub" and spec.docker_organisation:
        return error(
            "registry-not-a-member",
            f"Docker Hub knows {spec.docker_username}, but this account may not store images in the organisation"
            f" {spec.docker_organisation}.",
            "Ask an owner of the organisation to let you push, or leave the organisation empty.",
            "docker_organisation",
        )
    return error(
        "registry-no-push",
        f"{where} knows this account, but the token may not store images there.",
        "Make a new access token that may read and write.",
        SECRET_FIELD[spec.registry],
    )


def _pulls(facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    registry = facts.registry
    if spec.registry != "dockerhub" or registry is None or registry.pulls_left is None:
        return
    if registry.pulls_left < FEW_PULLS:
        yield warning(
            "pull-limit",
            f"Docker Hub lets this account fetch {registry.pulls_left} more images in the next hours"
            + (f" (of {registry.pulls_limit})." if registry.pulls_limit else "."),
            "For a workshop use an account with a paid plan, or let Slipway make a registry in Azure.",
            "registry",
        )


def _complete(_facts: Facts, spec: HubSpec, _names: Names) -> Iterator[Finding]:
    missing = {
        "dockerhub": not spec.docker_username,
        "other": not (spec.registry_address and spec.registry_username),
        "acr": False,
    }[spec.registry]
    if missing:
        yield error(
            "registry-incomplete",
            "The registry's sign-in is not complete.",
            "Fill in who signs in, and where.",
            USER_FIELD[spec.registry],
        )


CHECKS: tuple[Check, ...] = (_complete, _registry, _pulls)
