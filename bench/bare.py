"""The bare minimum: what a careful person's own script does for the same hub, and nothing else.

Azure's SDK with its own polling, the Helm program with `--wait`, one launch. No portal, no record, no page, no check
beforehand, nothing that could go on after a crash. Run as `python -m bench.bare` in a worker's environment; reads the
values for Helm from standard input and prints one line of JSON.
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
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.resource.resources import ResourceManagementClient

from cloud.azure.session import AzureSession
from cloud.binderhub import follow_build, health
from cloud.profile import load


def main() -> None:
    given = json.load(sys.stdin)
    began = time.perf_counter()
    profile = load(os.environ)
    az = AzureSession.from_environment(profile, os.environ)
    kubeconfig = _cluster(az.resources(given["subscription"]), az.clusters(given["subscription"]), given)
    with tempfile.TemporaryDirectory() as folder:
        _helm(Path(folder), kubeconfig, given)
    _answers(given["address"])
    outcome = follow_build(given["address"], "binder-examples/requirements/HEAD", seconds=600)
    assert outcome.phase == "ready", outcome
    print(json.dumps({"seconds": time.perf_counter() - began}))
    az.resources(given["subscription"]).resource_groups.begin_delete(given["group"], polling=False)


def _cluster(resources: ResourceManagementClient, clusters: ContainerServiceClient, given: dict[str, Any]) -> bytes:
    resources.resource_groups.create_or_update(given["group"], {"location": given["region"]})
    poller: LROPoller[Any] = clusters.managed_clusters.begin_create_or_update(
        given["group"], given["cluster"], given["body"], polling_interval=1
    )
    poller.result()
    found = clusters.managed_clusters.list_cluster_admin_credentials(given["group"], given["cluster"])
    return bytes(found.kubeconfigs[0].value)


def _helm(folder: Path, kubeconfig: bytes, given: dict[str, Any]) -> None:
    """As the workshop does it: secrets in files, arguments for everybody to read."""
    (folder / "config").write_bytes(kubeconfig)
    (folder / "values.yaml").write_text(json.dumps(given["values"]))
    command = [os.environ["HELM_BINARY"], "upgrade", "--install", given["release"], "binderhub"]
    command += ["--repo", given["repository"], "--version", given["version"], "--ca-file", given["ca_file"]]
    command += ["--kubeconfig", str(folder / "config"), "--namespace", given["release"], "--create-namespace"]
    command += ["-f", str(folder / "values.yaml"), "--wait", "--timeout", "20m"]
    environ = {**os.environ, "HELM_CACHE_HOME": str(folder), "HELM_CONFIG_HOME": str(folder)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _answers(address: str) -> None:
    until = time.monotonic() + 600
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
