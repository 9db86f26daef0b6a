"""Whatever the code imports is asked for by name: what another package happens to bring along may go one day."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from bootstrap.machine import ROOT

OURS = {"portal", "accounts", "deployments", "worker", "cloud", "sandbox", "bootstrap", "tests", "bench", "manage"}
PORTAL = ("portal", "accounts", "deployments", "worker", "cloud")
#: Folders, and the file that must pin what they import (files that it includes count).
ROOMS = [
    (PORTAL, "requirements.txt"),
    (("sandbox", "bootstrap"), "requirements-embedded.txt"),
    (("tests", "bench"), "requirements-test.txt"),
]


def _imported(path: Path) -> Iterable[str]:
    """Dotted names; `from a import b` counts as a.b, since b may be a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _foreign(folders: Iterable[str]) -> set[str]:
    names = {name for folder in folders for path in (ROOT / folder).rglob("*.py") for name in _imported(path)}
    return {name for name in names if name.partition(".")[0] not in OURS | sys.stdlib_module_names}


def _pinned(file: str) -> set[str]:
    text = (ROOT / file).read_text()
    own = {_plain(name) for name in re.findall(r"^([A-Za-z][\w.-]*)(?:\[\w+\])?==", text, re.MULTILINE)}
    return own.union(*(_pinned(other) for other in re.findall(r"^-r (\S+)$", text, re.MULTILINE)))


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


_all_bearers = cache(packages_distributions)  # a second's work


def _bearers(package: str) -> set[str]:
    """The installed distributions that carry a top-level package."""
    return {_plain(each) for each in _all_bearers().get(package, [])}


def _is_pinned(name: str, pinned: set[str]) -> bool:
    """A package in a shared namespace (azure, ruamel) goes by its longest part that is a distribution's name."""
    parts = name.split(".")
    candidates = {_plain("-".join(parts[:length])) for length in range(2, len(parts) + 1)}
    bearers = _bearers(parts[0])
    return bool(bearers & pinned if len(bearers) == 1 else candidates & pinned)


@pytest.mark.parametrize(("folders", "file"), ROOMS, ids=[file for _, file in ROOMS])
def test_everything_imported_is_pinned(folders: tuple[str, ...], file: str) -> None:
    imported, pinned = _foreign(folders), _pinned(file)
    assert imported
    assert {name for name in imported if not _is_pinned(name, pinned)} == set()


def test_a_package_that_only_comes_along_is_found_out() -> None:
    assert not _is_pinned("yaml.safe_load", {"kubernetes"})
    assert not _is_pinned("azure.mgmt.storage.StorageManagementClient", _pinned("requirements-test.txt"))
