"""Real Helm on the stand-in chart, without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.charts import package

PROJECT = Path(__file__).parents[3]
Objects = list[dict[str, Any]]


class Chart:
    """An unpacked-by-nobody archive: what the repository hands out, rendered by the real Helm."""

    def __init__(self, helm: str, archive: Path) -> None:
        self.helm, self.archive = helm, archive

    def run(self, verb: str, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        name = ["demo"] if verb == "template" else []
        command = [self.helm, verb, *name, str(self.archive), "--namespace", "demo", "-f", "-"]
        return subprocess.run(command, input=json.dumps(values), text=True, capture_output=True, check=False)

    def render(self, values: dict[str, Any]) -> Objects:
        done = self.run("template", values)
        assert done.returncode == 0, done.stderr
        return [document for document in yaml.safe_load_all(done.stdout) if document]

    def refusal(self, values: dict[str, Any]) -> str:
        done = self.run("template", values)
        assert done.returncode != 0, "Helm took values that it should refuse"
        return done.stderr


@pytest.fixture(scope="session")
def helm() -> str:
    return os.environ.get("HELM_BINARY") or str(PROJECT / "var/bin/helm")


@pytest.fixture(scope="session")
def publish(helm: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[package.Release], Chart]:
    def packed(release: package.Release) -> Chart:
        path = tmp_path_factory.mktemp("charts") / release.filename
        path.write_bytes(package.archive(release))
        return Chart(helm, path)

    return packed


@pytest.fixture(scope="session")
def chart(publish: Callable[[package.Release], Chart]) -> Chart:
    """The newest version; all are made of the same files."""
    return publish(package.RELEASES[0])


@pytest.fixture(scope="session")
def find() -> Callable[[Objects, str, str], dict[str, Any]]:
    def one(objects: Objects, kind: str, name: str) -> dict[str, Any]:
        return next(item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name)

    return one
