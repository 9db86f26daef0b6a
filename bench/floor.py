"""The floor under a workshop: Helm and the verification of each hub alone, with all of the machine for them.

Their clusters are made beforehand. No portal, no record, no page, no second look, nothing that could go on after a
crash. Run as `python -m bench.floor` in a worker's environment; reads hubs from standard input (secrets included) and
prints one line of JSON: how long it took, and the CPU time of all that took part, the simulated cloud included.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import bare
from bench.work import cpu_of
from cloud.azure.session import AzureSession
from cloud.profile import load

#: Hubs at once; they mostly wait for their pods. Helms at once: as many as there are cores.
WIDTH = 8
helms = threading.Semaphore(len(os.sched_getaffinity(0)))


def main() -> None:
    given = json.load(sys.stdin)
    az = AzureSession.from_environment(load(os.environ), os.environ)
    hubs, sandbox = given["hubs"], {given["sandbox"]}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(WIDTH) as pool:
        kubeconfigs = list(pool.map(lambda hub: bare.cluster(az, hub), hubs))
        archive = _chart(Path(folder), hubs[0])
        began, before = time.perf_counter(), _own_cpu() + cpu_of(sandbox)
        list(pool.map(lambda hub, kubeconfig: _build(hub, kubeconfig, archive), hubs, kubeconfigs))
        seconds, work = time.perf_counter() - began, _own_cpu() + cpu_of(sandbox) - before
        list(pool.map(lambda hub: bare.remove(az, hub), hubs))
    print(json.dumps({"seconds": seconds, "work": work}))


def _chart(folder: Path, hub: dict[str, Any]) -> Path:
    bare.run_helm(folder, "pull", "binderhub", *bare.from_repository(hub), "--destination", str(folder))
    return next(folder.glob("*.tgz"))


def _build(hub: dict[str, Any], kubeconfig: bytes, archive: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, helms:
        bare.helm(Path(folder), kubeconfig, hub, archive=archive)
    bare.verify(hub)


def _own_cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
