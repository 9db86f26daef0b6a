"""The JSON schemas that come with a chart, read from its archive."""

import io
import json
import tarfile
from functools import lru_cache
from typing import Any

import httpx

from cloud import web
from cloud.errors import Unavailable
from cloud.profile import AzureCloud

WHOM = "The chart repository"
PATIENCE = httpx.Timeout(8.0, connect=3.0)
CHART = "binderhub"


def chart_schemas(profile: AzureCloud, version: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of the BinderHub chart's values, and of the JupyterHub chart's inside it; empty where it has none.

    :raises Unavailable: the repository did not answer with such a chart; its code is the status, 404 for one not there.
    """
    return _schemas(profile.chart_repository.rstrip("/"), profile.chart_ca_bundle, version)


@lru_cache(maxsize=8)
def _schemas(repository: str, ca_bundle: str | None, version: str) -> tuple[dict[str, Any], dict[str, Any]]:
    url = f"{repository}/{CHART}-{version}.tgz"
    client = web.client(url, ca_bundle=ca_bundle, timeout=PATIENCE, follow_redirects=True)
    with client as http, web.reaching(WHOM):
        answer = http.get(url)
        if answer.status_code != 200:
            told = f"{WHOM} has no {CHART} {version} ({answer.status_code})."
            raise Unavailable(told, web.AGAIN, code=str(answer.status_code))
    try:
        with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as files:
            return _read(files, f"{CHART}/"), _read(files, f"{CHART}/charts/jupyterhub/")
    except (tarfile.TarError, OSError, EOFError, ValueError) as exc:
        raise Unavailable(f"{CHART} {version} did not arrive whole.", web.AGAIN) from exc


def _read(files: tarfile.TarFile, folder: str) -> dict[str, Any]:
    try:
        content = files.extractfile(f"{folder}values.schema.json")
    except KeyError:
        return {}
    found = json.load(content) if content else {}
    return found if isinstance(found, dict) else {}
