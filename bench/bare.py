"""The bare minimum: what a careful person's own script does for the same hub, and nothing else.

Azure's SDK with its own polling, the Helm program with `--wait`, one launch. No portal, no record, no page, no check
beforehand, nothing that could go on after a crash. Run as `python -m bench.bare` in a worker's environment; reads hubs
from standard input, one a line with the values for Helm, builds one after the other, and prints how many seconds each
took: a line of JSON for each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from azure.core.polling import LROPoller

from cloud.azure.session import AzureSession
from cloud.binderhub import follow_build, health
from cloud.profile import load

PATIENCE = 600.0


def main() -> None:
    az = AzureSession.from_environment(load(os.environ), os.environ)
    for line in sys.stdin:
        hub, began = json.loads(line), time.perf_counter()
        kubeconfig = cluster(az, hub)
        with tempfile.TemporaryDirectory() as folder:
            helm(Path(folder), kubeconfig, hub, "--wait", "--timeout", "20m")
        verify(hub)
        print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)
        az.resources(hub["subscription"]).resource_groups.begin_delete(hub["group"], polling=False)


def cluster(az: AzureSession, hub: dict[str, Any]) -> bytes:
    """Makes group and cluster, waits for it, and returns its credentials."""
    resources, clusters = az.resources(hub["subscription"]), az.clusters(hub["subscription"])
    resources.resource_groups.create_or_update(hub["group"], {"location": hub["region"]})
    poller: LROPoller[Any] = clusters.managed_clusters.begin_create_or_update(
        hub["group"], hub["cluster"], hub["body"], polling_interval=1
    )
    poller.result()
    found = clusters.managed_clusters.list_cluster_admin_credentials(hub["group"], hub["cluster"])
    return bytes(found.kubeconfigs[0].value)


def remove(az: AzureSession, hub: dict[str, Any]) -> None:
    az.resources(hub["subscription"]).resource_groups.begin_delete(hub["group"], polling_interval=1).result()


def helm(folder: Path, kubeconfig: bytes, hub: dict[str, Any], *more: str, archive: Path | None = None) -> None:
    """As the workshop does it: secrets in files, arguments for everybody to read. Fetches the chart unless given."""
    (folder / "config").write_bytes(kubeconfig)
    (folder / "values.yaml").write_text(json.dumps(hub["values"]))
    chart = [str(archive)] if archive else ["binderhub", *from_repository(hub)]
    order = ["upgrade", "--install", hub["release"], *chart, "--namespace", hub["release"], "--create-namespace"]
    run_helm(folder, *order, "--kubeconfig", str(folder / "config"), "-f", str(folder / "values.yaml"), *more)


def from_repository(hub: dict[str, Any]) -> list[str]:
    return ["--repo", hub["repository"], "--version", hub["version"], "--ca-file", hub["ca_file"]]


def run_helm(folder: Path, *order: str) -> None:
    environ = {**os.environ, "HELM_CACHE_HOME": str(folder), "HELM_CONFIG_HOME": str(folder)}
    done = subprocess.run([os.environ["HELM_BINARY"], *order], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def verify(hub: dict[str, Any]) -> None:
    """The hub says that it is well, and launches a repository."""
    _answers(hub["address"])
    outcome = follow_build(hub["address"], "binder-examples/requirements/HEAD", seconds=PATIENCE)
    assert outcome.phase == "ready", outcome


def _answers(address: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if health(address).ok:
                return
        except Exception as error:
            last = error
        time.sleep(0.5)
    raise last


if __name__ == "__main__":
    main()
