"""The chart repository's files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
import yaml

from sandbox.charts import package
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


@pytest.mark.parametrize("release", package.RELEASES, ids=lambda release: release.version)
def test_every_version_renders_with_the_jupyterhub_it_names(
    publish: Callable[[package.Release], Chart], release: package.Release
) -> None:
    hub = next(o for o in publish(release).render({}) if (o["kind"], o["metadata"]["name"]) == ("Deployment", "hub"))
    assert hub["metadata"]["labels"]["chart"] == f"jupyterhub-{release.jupyterhub_chart}"
