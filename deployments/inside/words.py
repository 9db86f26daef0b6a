"""What Kubernetes says of pods and machines, in words for somebody who has never seen it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """Words with a colour of the style sheet, and Kubernetes' own word beside them."""

    label: str
    colour: str
    original: str


#: Kubernetes' word → (ours, colour). The first pattern that fits the whole word counts.
POD_STATES: tuple[tuple[str, str, str], ...] = (
    ("Terminating", "ending", "grey"),
    ("Completed|Succeeded", "finished", "grey"),
    ("Evicted", "thrown out of its machine", "red"),
    ("(?:Init:)?(?:ErrImagePull|ImagePullBackOff|ErrImageNeverPull)", "cannot get its image", "red"),
    ("(?:Init:)?InvalidImageName", "its image's name is not valid", "red"),
    ("(?:Init:)?CreateContainerConfigError", "a setting it needs does not exist", "red"),
    ("(?:Init:)?(?:CreateContainerError|RunContainerError|StartError|ContainerCannotRun)", "cannot be started", "red"),
    ("Init:(?:CrashLoopBackOff|Error|OOMKilled|ExitCode.*)", "preparing it failed", "red"),
    (r"Init:\d+/\d+", "being prepared", "blue"),
    ("CrashLoopBackOff", "crashes again and again", "red"),
    ("OOMKilled", "ran out of memory", "red"),
    ("Error|Failed|ExitCode.*|DeadlineExceeded", "ended with a mistake", "red"),
    ("ContainerCreating|PodInitializing|Pending", "getting its image and disks", "blue"),
    ("NodeLost|Unknown|NodeShutdown|Shutdown|Terminated", "its machine does not answer", "amber"),
)
#: What the parts of a BinderHub are for, by their label `component`.
PARTS: dict[str, str] = {
    "hub": "JupyterHub: starts and stops sessions",
    "proxy": "Leads people to the hub and to their sessions",
    "autohttps": "Gets and renews the certificate for HTTPS",
    "binder": "BinderHub: the page with the launch button",
    "image-builder": "Builds images of repositories",
    "image-cleaner": "Removes old images from the machines",
    "user-scheduler": "Chooses machines for sessions",
    "user-placeholder": "Keeps room free for the next session",
    "continuous-image-puller": "Fetches images ahead of time",
    "hook-image-puller": "Fetches images ahead of time",
    "hook-image-awaiter": "Waits for images fetched ahead of time",
    "singleuser-server": "Somebody's session",
    "binderhub-build": "Builds the image of a repository",
}
#: Pods of what people do.
SESSIONS = frozenset({"singleuser-server", "binderhub-build"})
PRESSURES = {
    "DiskPressure": "its disk is full",
    "MemoryPressure": "short of memory",
    "PIDPressure": "runs too many programs",
    "NetworkUnavailable": "has no network",
}
CONDITIONS = {
    "PodScheduled": "a machine was found for it",
    "PodReadyToStartContainers": "its network and folders are there",
    "Initialized": "what runs first has finished",
    "ContainersReady": "all its programs are ready",
    "Ready": "it answers",
    "DisruptionTarget": "it is being moved or thrown out",
}
VOLUMES = {
    "secret": "a secret",
    "configMap": "settings",
    "persistentVolumeClaim": "a disk",
    "emptyDir": "an empty folder that goes with the pod",
    "hostPath": "a folder of the machine",
    "projected": "what Kubernetes tells it about itself",
    "csi": "a storage driver",
    "downwardAPI": "what Kubernetes tells it about itself",
    "nfs": "a shared folder in the network",
}
REVISIONS = {
    "deployed": ("served now", "green"),
    "superseded": ("replaced since", "grey"),
    "failed": ("did not work", "red"),
    "uninstalled": ("removed", "grey"),
}


def pod_state(row: Json) -> Shown:
    """How one pod stands, from what the worker kept of it."""
    status = str(row["status"])
    if row.get("unplaced") and status == "Pending":
        spare = row.get("component") == "user-placeholder"
        return Shown("waits until there is room to spare" if spare else "waiting for a machine (node)",
                     "grey" if spare else "amber", status)  # fmt: skip
    if status == "Running":
        return Shown("runs", "green", status) if row.get("ready") else Shown("runs, not answering yet", "amber", status)
    for pattern, label, colour in POD_STATES:
        if re.fullmatch(pattern, status):
            return Shown(label, colour, status)
    return Shown("", "amber", status)


def container_state(container: Json) -> Shown:
    """How one container of a pod stands."""
    state, reason = container["state"], container["reason"]
    if state == "running":
        ready = container["ready"] or container["init"]
        return Shown("runs" if ready else "runs, not answering yet", "green" if ready else "amber", "running")
    if state == "terminated" and not container["ended"]["code"]:
        return Shown("finished", "grey", reason or "terminated")
    return pod_state({"status": reason or ("Pending" if state != "terminated" else "Error")})


def part(row: Json) -> str:
    """What the pod is for; "" for what is none of the hub's parts."""
    return PARTS.get(str(row.get("component")), "")


def node_state(node: Json) -> Shown:
    """How a machine stands: what is worst of it."""
    if not node["ready"]:
        return Shown("does not answer", "red", str(node["reason"]) or "NotReady")
    if node["pressures"]:
        kinds = [str(each["kind"]) for each in node["pressures"]]
        return Shown(", ".join(PRESSURES.get(kind, kind) for kind in kinds), "red", ", ".join(kinds))
    if node["closed"]:
        return Shown("takes no new pods", "amber", "SchedulingDisabled")
    return Shown("ready", "green", "Ready")


def revision_state(status: str) -> Shown:
    """How an entry of Helm's history stands."""
    label, colour = REVISIONS.get(status, ("being worked on", "blue"))
    return Shown(label, colour, status)


def amount(quantity: str) -> str:
    """Kubernetes' quantities as people write them: `7000Mi` is 6.8 GiB, `1900m` are 1.9."""
    match = re.fullmatch(r"(\d+)(m|Ki|Mi|Gi)?", quantity)
    if match is None or not match[2]:
        return quantity
    number = int(match[1])
    if match[2] == "m":
        return f"{number / 1000:.2f}".rstrip("0").rstrip(".")
    gibibytes = number / {"Ki": 1024**2, "Mi": 1024, "Gi": 1}[match[2]]
    return f"{gibibytes:.1f}".removesuffix(".0") + " GiB" if gibibytes >= 0.1 else f"{quantity}B"


def condition(kind: str) -> str:
    """What it means when a pod's condition is true."""
    return CONDITIONS.get(kind, "")


def volume(kind: str) -> str:
    """Where a folder of that kind comes from."""
    return VOLUMES.get(kind, "")
