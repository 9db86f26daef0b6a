"""Which public repositories exist, and which commit a name in them means."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sandbox import seeds
from sandbox.core import Core

BUCKET = "hubs.repositories"
#: Public repositories that are known from the start, with the names that resolve in them.
KNOWN = {
    "binder-examples/requirements": ("HEAD", "master"),
    "binder-examples/conda": ("HEAD", "main"),
    "binder-examples/r": ("HEAD", "master"),
    "binder-examples/multi-language-demo": ("HEAD", "HEAD"),
    "binder-examples/jupyter-extension": ("HEAD", "master"),
    "norvig/pytudes": ("HEAD", "main"),
    "jupyterlab/jupyterlab-demo": ("HEAD", "main"),
    "alan-turing-institute/the-turing-way": ("HEAD", "main"),
}
#: Private ones: they are there only for a token that may read them.
PRIVATE = {"slipwayorg/closed-data": ("HEAD", "main")}


@dataclass(frozen=True)
class Source:
    """A repository at a commit, as a build needs it."""

    owner: str
    name: str
    commit: str

    @property
    def url(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def slug(self) -> str:
        return f"{self.owner}-{self.name}"


def split(spec: str) -> tuple[str, str, str]:
    """Owner, repository, ref. Raises ValueError with BinderHub's own words."""
    parts = spec.split("/", 2)
    if len(parts) != 3:
        message = f'Spec is not of the form "user/repo/ref", provided: "{spec}".'
        if len(parts) == 2 and parts[-1] not in {"main", "master", "HEAD"}:
            message += f' Did you mean "{spec}/HEAD"?'
        raise ValueError(message)
    return parts[0], parts[1].removesuffix(".git"), parts[2]


def resolve(core: Core, owner: str, name: str, ref: str, token: str = "") -> Source | None:
    """None for a repository or a name in it that nobody knows, or that the token may not read."""
    full = f"{owner}/{name}"
    added = core.state.bucket(BUCKET).get(full)
    refs = tuple(added["refs"]) if added else KNOWN.get(full.lower()) or _private(full.lower(), token)
    if refs is None or not (ref in refs or re.fullmatch(r"[0-9a-f]{40}", ref)):
        return None
    commit = ref if len(ref) == 40 else hashlib.sha1(full.encode(), usedforsecurity=False).hexdigest()
    return Source(owner, name, commit)


def _private(full: str, token: str) -> tuple[str, ...] | None:
    readable = [name for entry in seeds.GITHUB_TOKENS if entry["token"] == token for name in entry["repositories"]]
    return PRIVATE.get(full) if full in readable else None
