"""Volume claims are bound to new volumes, and volumes go with their claims."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.controllers.look import Look
from sandbox.kubernetes.controllers.placing import claims
from sandbox.kubernetes.kinds import BY_RESOURCE

Body = dict[str, Any]
PROVISION_SECONDS, RELEASE_SECONDS = 5, 5
CONTROLLER = "persistentvolume-controller"


def reconcile(look: Look) -> None:
    wanted = {name for pod in look.list("pods") for name in claims(pod)}
    for claim in look.list("persistentvolumeclaims"):
        if claim["metadata"].get("deletionTimestamp"):
            _release(look, claim, wanted)
        elif claim["status"]["phase"] == "Pending":
            _provision(look, claim, wanted)
    for volume in look.store.list("persistentvolumes"):
        if (volume["spec"].get("claimRef") or {}).get("namespace") == look.namespace:
            _reclaim(look, volume)


def _provision(look: Look, claim: Body, wanted: set[str]) -> None:
    name, class_name = claim["metadata"]["name"], claim["spec"]["storageClassName"]
    storage_class = look.store.get("storageclasses", "", class_name)
    if storage_class is None:
        text = f'storageclass.storage.k8s.io "{class_name}" not found'
        return look.event(claim, "ProvisioningFailed", text, CONTROLLER, warning=True)
    if storage_class["volumeBindingMode"] == "WaitForFirstConsumer" and name not in wanted:
        if not look.elapsed(claim, "consumer", 1):
            text = "waiting for first consumer to be created before binding"
            look.event(claim, "WaitForFirstConsumer", text, CONTROLLER)
        return None
    if wish := look.symptom(claim, "claim"):
        return look.event(claim, "ProvisioningFailed", wish["message"], storage_class["provisioner"], warning=True)
    if not look.elapsed(claim, "provision", PROVISION_SECONDS):
        return None
    return _bind(look, claim, storage_class)


def _bind(look: Look, claim: Body, storage_class: Body) -> None:
    name = f"pvc-{claim['metadata']['uid']}"
    size = claim["spec"]["resources"]["requests"]["storage"]
    reference = {key: claim["metadata"][key] for key in ("namespace", "name", "uid")}
    spec = {
        "capacity": {"storage": size},
        "accessModes": claim["spec"]["accessModes"],
        "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1"} | reference,
        "persistentVolumeReclaimPolicy": storage_class["reclaimPolicy"],
        "storageClassName": storage_class["metadata"]["name"],
        "volumeMode": "Filesystem",
        "csi": {"driver": storage_class["provisioner"], "volumeHandle": f"/disks/{name}"},
    }
    annotations = {"pv.kubernetes.io/provisioned-by": storage_class["provisioner"]}
    if look.store.get("persistentvolumes", "", name) is None:
        body = {"metadata": {"name": name, "annotations": annotations}, "spec": spec, "status": {"phase": "Bound"}}
        look.gate.create(BY_RESOURCE["persistentvolumes"], "", body)
    bound = claim | {
        "spec": claim["spec"] | {"volumeName": name},
        "status": {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": {"storage": size}},
    }
    claim = look.put("persistentvolumeclaims", bound)
    component = storage_class["provisioner"]
    look.event(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}", component)


def _release(look: Look, claim: Body, wanted: set[str]) -> None:
    """The claim goes when no pod mounts it any more."""
    meta = claim["metadata"]
    if meta["name"] in wanted:
        return
    left = [item for item in meta.get("finalizers") or [] if item != "kubernetes.io/pvc-protection"]
    look.gate.settle(BY_RESOURCE["persistentvolumeclaims"], claim | {"metadata": meta | {"finalizers": left}})


def _reclaim(look: Look, volume: Body) -> None:
    reference = volume["spec"]["claimRef"]
    claim = look.get("persistentvolumeclaims", reference["name"])
    if claim is not None and claim["metadata"]["uid"] == reference["uid"]:
        return
    volume = look.status("persistentvolumes", volume, {"phase": "Released"})
    policy = volume["spec"]["persistentVolumeReclaimPolicy"]
    if policy == "Delete" and look.elapsed(volume, "release", RELEASE_SECONDS):
        look.store.remove("persistentvolumes", "", volume["metadata"]["name"])
