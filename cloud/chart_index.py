"""What a chart repository has: versions with their dates, from its index.yaml."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import httpx
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cloud import web
from cloud.errors import Unavailable
from cloud.profile import AzureCloud

#: Indexes list every version ever made; only so many of the newest are read.
NEWEST = 40
WHOM = "The chart repository"
PATIENCE = httpx.Timeout(60.0, connect=10.0)


@dataclass(frozen=True, slots=True)
class ChartVersion:
    """One version; `jupyterhub` is the version of the JupyterHub chart inside, "" where the index does not say."""

    version: str
    created: datetime | None
    jupyterhub: str


def chart_versions(profile: AzureCloud, chart: str) -> list[ChartVersion]:
    """The newest versions of the chart, newest first.

    :raises Unavailable: the repository does not answer, or what it answers is no index.
    """
    url = f"{profile.chart_repository.rstrip('/')}/index.yaml"
    with web.client(url, ca_bundle=profile.chart_ca_bundle, timeout=PATIENCE) as http, web.reaching(WHOM):
        answer = http.get(url)
        if answer.status_code != 200:
            raise web.not_now(answer, WHOM) or Unavailable(f"{WHOM} has no index ({answer.status_code}).", web.AGAIN)
        found = [_version(entry) for entry in islice(_entries(answer.text, chart), NEWEST)]
    if not found:
        raise Unavailable(f"{WHOM} lists no version of {chart}.", "Check CHART_REPOSITORY.")
    return found


def _entries(index: str, chart: str) -> Iterator[dict[str, Any]]:
    """The chart's entries, each parsed by itself: the whole index is megabytes that a YAML parser takes minutes for."""
    block = re.search(rf"^  {re.escape(chart)}:\n((?:  [ -].*\n|\n)*)", f"{index}\n", re.MULTILINE)
    for text in re.split(r"^  - ", block[1], flags=re.MULTILINE)[1:] if block else []:
        try:
            entry = YAML(typ="safe", pure=True).load(f"    {text}")
        except YAMLError as exc:
            raise Unavailable(f"{WHOM}'s index cannot be read.", web.AGAIN) from exc
        if isinstance(entry, dict) and "version" in entry:
            yield entry


def _version(entry: dict[str, Any]) -> ChartVersion:
    inside = [str(each["version"]) for each in entry.get("dependencies") or [] if each.get("name") == "jupyterhub"]
    return ChartVersion(
        version=str(entry["version"]),
        created=_moment(entry.get("created")),
        jupyterhub=inside[0] if inside else "",
    )


def _moment(written: Any) -> datetime | None:
    """YAML makes a moment of it (in UTC, without saying so), unless the index has it in quotes."""
    try:
        found = written if isinstance(written, datetime) else datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
