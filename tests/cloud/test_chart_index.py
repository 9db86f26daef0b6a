"""The chart repository's list of versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cloud.chart_index import chart_versions
from cloud.errors import Unavailable
from cloud.profile import AzureCloud


def test_versions_come_newest_first_with_their_day_and_what_is_inside(profile: AzureCloud) -> None:
    newest, older = chart_versions(profile, "binderhub")
    assert newest.version.startswith("1.0.0-0.dev.git.3958.") and newest.jupyterhub == "4.2.0"
    assert older.created == datetime(2024, 11, 18, 13, 20, 5, tzinfo=UTC)


def test_another_charts_versions_are_not_taken_for_ours(profile: AzureCloud) -> None:
    with pytest.raises(Unavailable, match="no version of jupyterhub"):
        chart_versions(profile, "jupyterhub")


def test_a_repository_without_an_index_is_told(profile: AzureCloud) -> None:
    with pytest.raises(Unavailable, match="no index"):
        chart_versions(replace(profile, chart_repository=f"{profile.chart_repository}/elsewhere"), "binderhub")
