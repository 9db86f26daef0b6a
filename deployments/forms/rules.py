"""What may be typed: each rule gives a sentence that says what is wrong, or "". Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

GITHUB_ID = re.compile(r"[A-Za-z0-9._-]{10,60}")
DOCKER_ORGANISATION = re.compile(r"[a-z0-9]+")
GITHUB_ORGANISATION = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[0-9]{1,5})?")
PROJECT = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*")
REPOSITORY = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}/(?:\*|[A-Za-z0-9._-]{1,100})")
BRANCH = re.compile(r"(?!-)(?!.*(?:\.\.|//|@\{|\.lock$|/$))[^\s\x00-\x1f~^:?*\[\\]{1,200}")
DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com")


def github_organisation(name: str) -> str:
    if GITHUB_ORGANISATION.fullmatch(name):
        return ""
    return f"“{name}” cannot be a GitHub organisation: give names, not addresses."


def github_client_id(word: str) -> str:
    if GITHUB_ID.fullmatch(word):
        return ""
    return "This does not look like a client ID: those are 20 letters and digits."


def docker_organisation(name: str) -> str:
    if DOCKER_ORGANISATION.fullmatch(name):
        return ""
    return (
        "Docker Hub organisations have small letters and digits only, no hyphens or spaces."
        " You find its name in its page's address, hub.docker.com/orgs/…"
    )


def registry_address(host: str) -> str:
    if "://" in host or "/" in host:
        return "Give the registry's host name alone, like registry.example.org: no https://, and nothing after it."
    if host.partition(":")[0] in DOCKER_HUB:
        return "This is Docker Hub: choose it above, so that its sign-in can be tried."
    if not HOST.fullmatch(host) or "." not in host:
        return "This is no host name: small letters, digits, dots and hyphens, like registry.example.org."
    return ""


def registry_project(name: str) -> str:
    if PROJECT.fullmatch(name):
        return ""
    return "Use small letters and digits, with single dots, underscores, hyphens or slashes between them."


def token_address(address: str) -> str:
    return "" if _is_https(address) else "This is no address: it begins with https:// and has a host name after it."


def domain(name: str) -> str:
    if DOMAIN.fullmatch(name):
        return ""
    return "This is no domain: give its name alone, like hub.example.org."


def repository(name: str) -> str:
    if REPOSITORY.fullmatch(name):
        return ""
    return f"“{name}” is no repository on GitHub: write owner/name, or owner/* for all of an owner."


def template_repository(address: str) -> str:
    if not _is_https(address) or "@" in urlsplit(address).netloc:
        return "Give the address that Git clones from, beginning with https:// and without a password in it."
    return ""


def branch(name: str) -> str:
    return "" if BRANCH.fullmatch(name) else "No branch can be called this."


def tidy_domain(typed: str) -> str:
    """The name alone, of a domain or of an address on it."""
    return re.sub(r"^https?://", "", typed.strip().lower()).rstrip("/").rstrip(".")


def tidy_repository(typed: str) -> str:
    """`owner/name`, of a name or of an address on GitHub; `owner/*` of an owner."""
    name = re.sub(r"^(?:https?://)?(?:www\.)?github\.com/", "", typed).rstrip("/").removesuffix(".git")
    return name if "/" in name else f"{name}/*"


def _is_https(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and not re.search(r"\s", address)
