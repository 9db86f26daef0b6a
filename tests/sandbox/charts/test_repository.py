"""The chart repository's files."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sandbox.charts import package
from sandbox.config import Config
from tests.sandbox.charts.conftest import Chart


def test_archives_are_the_same_at_every_start() -> None:
    for release in package.RELEASES:
        assert package.archive(release) == package.archive(release)


def test_the_index_names_every_version_with_a_true_digest() -> None:
    archives = {release.filename: package.archive(release) for release in package.RELEASES}
    entries = yaml.safe_load(package.index(archives))["entries"]["binderhub"]
    assert [entry["version"] for entry in entries] == [release.version for release in package.RELEASES]
    for entry in entries:
        assert entry["digest"] == hashlib.sha256(archives[entry["urls"][0]]).hexdigest()
        assert entry["created"] and entry["appVersion"]


def test_a_chart_that_changed_has_another_version(tmp_path: Path) -> None:
    """As when somebody upgrades Slipway: the very same code, with one line of the chart changed."""
    copy = tmp_path / "sandbox"
    shutil.copytree(Path(package.__file__).parent.parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert _version(tmp_path) == package.VERSION
    values = copy / "charts" / "binderhub" / "values.yaml"
    values.write_text(values.read_text() + "# changed\n")
    assert _version(tmp_path).partition("+")[0] == package.REAL_VERSION
    assert _version(tmp_path) != package.VERSION


def _version(home: Path) -> str:
    command = [sys.executable, "-c", "from sandbox.charts import package; print(package.VERSION)"]
    return subprocess.run(command, cwd=home, capture_output=True, text=True, check=True).stdout.strip()


def test_the_chart_that_hubs_get_is_the_first_in_the_index() -> None:
    config = Config.from_environment({})
    assert config.chart_version == package.VERSION
    real = Config.from_environment({"SANDBOX_CHART_REPOSITORY": "https://charts.example.org/"})
    assert real.chart_version == package.REAL_VERSION


@pytest.mark.parametrize("release", package.RELEASES, ids=lambda release: release.version)
def test_every_version_renders_with_the_jupyterhub_it_names(
    publish: Callable[[package.Release], Chart], release: package.Release
) -> None:
    hub = next(o for o in publish(release).render({}) if (o["kind"], o["metadata"]["name"]) == ("Deployment", "hub"))
    assert hub["metadata"]["labels"]["chart"] == f"jupyterhub-{release.jupyterhub_chart}"
