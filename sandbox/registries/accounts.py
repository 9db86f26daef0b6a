"""Docker Hub's accounts: who they are and where they may push."""

from __future__ import annotations

import hmac
import re
from typing import Any

from sandbox import seeds
from sandbox.core import Core
from sandbox.registries.distribution import MANIFEST_TYPE, Shelf

PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
#: A Docker ID, a person's or an organisation's: https://docs.docker.com/accounts/create-account/
DOCKER_ID = re.compile(r"[a-z0-9]{4,30}")
REPOSITORY = re.compile(rf"{PART}/{PART}")
#: Images that stand for the many public ones: pulled, never pushed here.
PUBLIC_NAMESPACES = ("library", "ratelimitpreview")


class DockerHub:
    """What other areas may ask: `core.services["dockerhub"]`."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.accounts = core.state.bucket("dockerhub.accounts")
        self.shelf = Shelf(core, "dockerhub")

    def account(self, username: str) -> dict[str, Any] | None:
        """The account of that name; e-mail addresses are no names here."""
        stored = self.accounts.get(username.lower())
        if stored is not None:
            return stored
        for entry in seeds.DOCKER_ACCOUNTS:
            if entry["username"].lower() == username.lower():
                return dict(entry)
        return None

    def check(self, username: str, password: str) -> bool:
        """Whether name and access token belong together."""
        account = self.account(username)
        return account is not None and hmac.compare_digest(account["token"].encode(), password.encode())

    def may_push(self, username: str, repository: str) -> bool:
        """Only under one's own name or that of an organisation one belongs to, and with a token that may write."""
        account = self.account(username)
        if account is None or account.get("read_only") or not REPOSITORY.fullmatch(repository):
            return False
        namespaces = {username.lower(), *(name.lower() for name in account.get("organisations", []))}
        return repository.split("/")[0] in namespaces

    def has_image(self, repository: str, tag: str) -> bool:
        return self.shelf.has_image(repository, tag)

    def push_image(self, repository: str, tag: str) -> None:
        """Puts an image without layers: for builders that only need it to be there afterwards."""
        content = f'{{"schemaVersion":2,"mediaType":"{MANIFEST_TYPE}","layers":[],"annotations":{{"tag":"{tag}"}}}}'
        self.shelf.put_manifest(repository, tag, content, MANIFEST_TYPE)


def unfit_name(account: dict[str, Any]) -> str:
    """What Docker Hub would say of the account's name or an organisation of it; "" when all may be."""
    for name in (account["username"], *account.get("organisations", [])):
        if not DOCKER_ID.fullmatch(name):
            return f"{name}: a Docker ID has 4 to 30 characters, only numbers and lowercase letters."
    return ""
