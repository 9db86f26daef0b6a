"""The values the API server fills in."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from sandbox.kubernetes.kinds import Kind

Body = dict[str, Any]


def filled(kind: Kind, body: Body) -> Body:
    """The object with its defaults; what the caller gave stays."""
    fill = _FILLS.get(kind.kind)
    return fill(body) if fill else body


def _over(defaults: Body, given: Body | None) -> Body:
    return defaults | {key: value for key, value in (given or {}).items() if value is not None}


def _with_spec(body: Body, defaults: Body, template: bool = False) -> Body:
    spec = _over(defaults, body.get("spec"))
    if template:
        spec["template"] = pod_template(spec.get("template") or {}, "Always")
    return body | {"spec": spec}


def pod_template(template: Body, restart: str) -> Body:
    meta = {"creationTimestamp": None} | (template.get("metadata") or {})
    return template | {"metadata": meta, "spec": pod_spec(template.get("spec") or {}, restart)}


def pod_spec(spec: Body, restart: str = "Always") -> Body:
    full = _over(
        {
            "restartPolicy": restart,
            "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        },
        spec,
    )
    if full.get("serviceAccountName"):
        full["serviceAccount"] = full["serviceAccountName"]
    for field in ("containers", "initContainers"):
        if full.get(field):
            full[field] = [_container(container) for container in full[field]]
    if full.get("volumes"):
        full["volumes"] = [_volume(volume) for volume in full["volumes"]]
    return full


def _container(container: Body) -> Body:
    image = container.get("image") or ""
    latest = ":" not in image.rsplit("/", 1)[-1] or image.endswith(":latest")
    full = _over(
        {
            "imagePullPolicy": "Always" if latest else "IfNotPresent",
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        },
        container,
    )
    full["resources"] = _resources(full["resources"])
    if full.get("ports"):
        full["ports"] = [_over({"protocol": "TCP"}, port) for port in full["ports"]]
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if full.get(probe):
            full[probe] = _probe(full[probe])
    return full


def _resources(resources: Body) -> Body:
    """Requests follow limits; quantities are kept as text."""
    texts = {
        part: {name: str(value) for name, value in (resources.get(part) or {}).items()}
        for part in ("limits", "requests")
        if resources.get(part)
    }
    if texts.get("limits"):
        texts["requests"] = texts["limits"] | texts.get("requests", {})
    return resources | texts


def _probe(probe: Body) -> Body:
    full = _over({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}, probe)
    if full.get("httpGet"):
        full["httpGet"] = _over({"scheme": "HTTP"}, full["httpGet"])
    return full


def _volume(volume: Body) -> Body:
    for source in ("secret", "configMap", "projected"):
        if source in volume:
            return volume | {source: _over({"defaultMode": 420}, volume[source])}
    if "hostPath" in volume:
        return volume | {"hostPath": _over({"type": ""}, volume["hostPath"])}
    return volume if len(volume) > 1 else volume | {"emptyDir": {}}


_ROLLING = {"maxUnavailable": "25%", "maxSurge": "25%"}


def _deployment(body: Body) -> Body:
    full = _with_spec(
        body,
        {
            "replicas": 1,
            "strategy": {"type": "RollingUpdate"},
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
        },
        template=True,
    )
    strategy = _over({"type": "RollingUpdate"}, full["spec"]["strategy"])
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = _over(_ROLLING, strategy.get("rollingUpdate"))
    return full | {"spec": full["spec"] | {"strategy": strategy}}


def _stateful_set(body: Body) -> Body:
    full = _with_spec(
        body,
        {
            "replicas": 1,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "revisionHistoryLimit": 10,
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        },
        template=True,
    )
    strategy = _over({"type": "RollingUpdate"}, full["spec"]["updateStrategy"])
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = _over({"partition": 0}, strategy.get("rollingUpdate"))
    return full | {"spec": full["spec"] | {"updateStrategy": strategy}}


def _daemon_set(body: Body) -> Body:
    full = _with_spec(body, {"updateStrategy": {"type": "RollingUpdate"}, "revisionHistoryLimit": 10}, template=True)
    strategy = _over({"type": "RollingUpdate"}, full["spec"]["updateStrategy"])
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = _over({"maxUnavailable": 1, "maxSurge": 0}, strategy.get("rollingUpdate"))
    return full | {"spec": full["spec"] | {"updateStrategy": strategy}}


def _replica_set(body: Body) -> Body:
    return _with_spec(body, {"replicas": 1}, template=True)


def _pod(body: Body) -> Body:
    spec = pod_spec(body.get("spec") or {})
    return body | {"spec": _over({"serviceAccountName": "default", "serviceAccount": "default"}, spec)}


def _job(body: Body) -> Body:
    spec = _over({"parallelism": 1, "completions": 1, "backoffLimit": 6, "suspend": False}, body.get("spec"))
    spec["template"] = pod_template(spec.get("template") or {}, "")
    return body | {"spec": spec}


def _cron_job(body: Body) -> Body:
    return _with_spec(body, {"concurrencyPolicy": "Allow", "suspend": False, "successfulJobsHistoryLimit": 3})


def _service(body: Body) -> Body:
    full = _with_spec(body, {"type": "ClusterIP", "sessionAffinity": "None"})
    spec = full["spec"]
    spec["ports"] = [
        _over({"protocol": "TCP", "targetPort": port.get("port")}, port) for port in spec.get("ports") or []
    ]
    if spec["type"] == "ExternalName":
        return full
    spec = _over({"internalTrafficPolicy": "Cluster", "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}, spec)
    if spec["type"] in ("LoadBalancer", "NodePort"):
        spec = _over({"externalTrafficPolicy": "Cluster"}, spec)
    if spec["type"] == "LoadBalancer":
        spec = _over({"allocateLoadBalancerNodePorts": True}, spec)
    return full | {"spec": spec}


def _claim(body: Body) -> Body:
    return _with_spec(body, {"storageClassName": "default", "volumeMode": "Filesystem"})


def _secret(body: Body) -> Body:
    """`stringData` is written into `data` and not kept."""
    texts = body.get("stringData") or {}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    full = {key: value for key, value in body.items() if key != "stringData"}
    if encoded:
        full["data"] = (full.get("data") or {}) | encoded
    return _over({"type": "Opaque"}, full)


def _role_binding(body: Body) -> Body:
    subjects = [_subject(subject) for subject in body.get("subjects") or []]
    role = _over({"apiGroup": "rbac.authorization.k8s.io"}, body.get("roleRef"))
    return body | {"roleRef": role} | ({"subjects": subjects} if subjects else {})


def _subject(subject: Body) -> Body:
    return (
        subject
        if subject.get("kind") == "ServiceAccount"
        else _over({"apiGroup": "rbac.authorization.k8s.io"}, subject)
    )


def _network_policy(body: Body) -> Body:
    spec = _over({"policyTypes": ["Ingress"]}, body.get("spec"))
    return body | {"spec": spec}


def _storage_class(body: Body) -> Body:
    return _over({"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}, body)


_FILLS: dict[str, Callable[[Body], Body]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "ReplicaSet": _replica_set,
    "Pod": _pod,
    "Job": _job,
    "CronJob": _cron_job,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "Secret": _secret,
    "RoleBinding": _role_binding,
    "ClusterRoleBinding": _role_binding,
    "NetworkPolicy": _network_policy,
    "StorageClass": _storage_class,
}
