"""What must be right before anything serves; each wrong thing told in a sentence, with what to do about it.

The web process, `work` and `sweep` refuse to start while a refusal stands; `manage.py check --deploy` and
`manage.py doctor` tell them all. Other commands run, so that an operator can look around.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import LazySettings, settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.http.request import validate_host

from cloud.errors import SlipwayError
from cloud.profile import is_loopback, load

SHORTEST_KEY, FEWEST_CHARACTERS, SHORTEST_TOKEN = 50, 5, 16
RANDOM = "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"


@dataclass(frozen=True)
class Refusal:
    """One thing that is wrong, and what mends it."""

    code: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


def refusals(settings: LazySettings, environ: Mapping[str, str]) -> list[Refusal]:
    """Everything that keeps these settings from serving; empty when all is well."""
    if settings.INSECURE_HTTP:
        return [*_always(settings), *_on_one_machine(settings)]
    return [*_always(settings), *_for_others(settings), *_cloud(settings, environ)]


class Refused(CommandError, ImproperlyConfigured):
    """The settings are refused, with every reason; a command says just that, without a traceback."""


def require_none() -> None:
    """Returns when nothing stands in the way.

    :raises Refused: otherwise.
    """
    found = refusals(settings, os.environ)
    if found:
        lines = "".join(f"\n  - {refusal}" for refusal in found)
        raise Refused(f"Slipway does not start with these settings (docs/operating.md):{lines}")


@register(Tags.security, deploy=True)
def check(**_more: Any) -> list[CheckMessage]:
    return [
        Error(refusal.what, hint=refusal.remedy, id=f"slipway.{refusal.code}")
        for refusal in refusals(settings, os.environ)
    ]


def _always(settings: LazySettings) -> Iterator[Refusal]:
    key = settings.SECRET_KEY
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS or key.startswith("django-insecure-"):
        yield Refusal("weak-key", "SECRET_KEY can be guessed: whoever does signs in as anybody.", f"Make one: {RANDOM}")
    if settings.DEBUG:
        yield Refusal("debug", "DEBUG shows settings and code to every visitor.", "Leave it out.")
    if not settings.ALLOWED_HOSTS or any(host.startswith("*") for host in settings.ALLOWED_HOSTS):
        yield Refusal(
            "any-host",
            "ALLOWED_HOSTS lets a visitor choose under which name the portal answers.",
            "Set it to the portal's own host name, such as hubs.example.org.",
        )
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < SHORTEST_TOKEN:
        yield Refusal("weak-token", "METRICS_TOKEN is too short to keep anybody out.", f"Make one: {RANDOM}")


def _on_one_machine(settings: LazySettings) -> Iterator[Refusal]:
    """Plain HTTP: nothing may be within another machine's reach. A name without a dot is no public name."""
    names = [host for host in settings.ALLOWED_HOSTS if "." in host and not is_loopback(f"http://{host}/")]
    if names or not is_loopback(settings.SLIPWAY_ADDRESS):
        yield Refusal(
            "http-for-others",
            f"SLIPWAY_INSECURE_HTTP is set, yet others are to reach {', '.join(names) or settings.SLIPWAY_ADDRESS}:"
            " passwords would travel in the clear.",
            "Leave SLIPWAY_INSECURE_HTTP out and put a proxy that speaks HTTPS in front.",
        )


def _for_others(settings: LazySettings) -> Iterator[Refusal]:
    address = urlsplit(settings.SLIPWAY_ADDRESS)
    if address.scheme != "https":
        yield Refusal(
            "http-address",
            f"SLIPWAY_ADDRESS is {settings.SLIPWAY_ADDRESS}: letters would lead people to plain HTTP.",
            "Set it to the portal's https:// address.",
        )
    elif not validate_host(address.hostname or "", settings.ALLOWED_HOSTS):
        yield Refusal(
            "other-host",
            f"SLIPWAY_ADDRESS leads to {address.hostname}, which ALLOWED_HOSTS does not name.",
            "Make the two agree.",
        )
    plain = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if not origin.startswith("https://")]
    if plain:
        yield Refusal(
            "http-origin",
            f"CSRF_TRUSTED_ORIGINS takes forms from {', '.join(plain)}, which anybody on the way can forge.",
            "Name https:// origins only.",
        )


def _cloud(settings: LazySettings, environ: Mapping[str, str]) -> Iterator[Refusal]:
    try:
        profile = load(environ)
    except SlipwayError as error:
        yield Refusal("cloud-profile", error.user_message, error.remedy)
        return
    if is_loopback(profile.arm) and not settings.SLIPWAY_ALLOW_SANDBOX:
        yield Refusal(
            "sandbox",
            "AZURE_CLOUD_PROFILE names a simulated cloud: people would be shown hubs that do not exist.",
            "Leave it out for the real Azure, or set SLIPWAY_ALLOW_SANDBOX=1 where that is what you want.",
        )
    vault = environ.get("AZURE_KEY_VAULT_URL", "")
    if not vault.startswith("https://"):
        yield Refusal(
            "vault",
            "AZURE_KEY_VAULT_URL is not set to a vault's https:// address: secrets would have no place.",
            "`manage.py connect_azure` makes the vault and says its address.",
        )
