"""What the API server checks of an object before it takes it, in its own words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.kubernetes import errors
from sandbox.kubernetes.errors import Cause
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.selectors import selector_matches

Body = dict[str, Any]
Causes = Iterator[Cause]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    f" '{_SUBDOMAIN}')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    " an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    f" '{_LABEL}')"
)
_DNS1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    " and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is"
    f" '{_DNS1035}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    f" '{_VALUE}')"
)
_SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def required(field: str, text: str = "") -> Cause:
    return Cause(field, "FieldValueRequired", f"Required value: {text}" if text else "Required value")


def wrong(field: str, value: Any, text: str) -> Cause:
    shown = json.dumps(value, separators=(",", ":")) if isinstance(value, (str, dict, list)) else value
    return Cause(field, "FieldValueInvalid", f"Invalid value: {shown}: {text}")


def immutable(field: str, value: Any, text: str = "field is immutable") -> Cause:
    return wrong(field, value, text)


def check(kind: Kind, body: Body, old: Body | None) -> None:
    """Raises 422 with every cause found."""
    causes = [*_metadata(kind, body)]
    checker = _CHECKS.get(kind.kind)
    if checker is not None:
        causes += checker(body, old)
    if causes:
        raise errors.invalid(kind, body["metadata"].get("name", ""), causes)


def _metadata(kind: Kind, body: Body) -> Causes:
    meta = body["metadata"]
    name = meta.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from _name(kind, name)
    for key, value in (meta.get("labels") or {}).items():
        if len(value) > 63:
            yield wrong("metadata.labels", value, "must be no more than 63 characters")
        if not re.fullmatch(_VALUE, value):
            yield wrong("metadata.labels", value, _VALUE_TEXT)
        if not re.fullmatch(r"([a-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", key):
            yield wrong("metadata.labels", key, "name part must consist of alphanumeric characters, '-', '_' or '.'")


def _name(kind: Kind, name: str) -> Causes:
    if kind.group == "rbac.authorization.k8s.io":
        if "/" in name or "%" in name or name in (".", ".."):
            yield wrong("metadata.name", name, "may not contain '/'")
        return
    pattern, text, limit = _SUBDOMAIN, _SUBDOMAIN_TEXT, 253
    if kind.resource == "namespaces":
        pattern, text, limit = _LABEL, _LABEL_TEXT, 63
    elif kind.resource == "services":
        pattern, text, limit = _DNS1035, _DNS1035_TEXT, 63
    if not re.fullmatch(pattern, name):
        yield wrong("metadata.name", name, text)
    if len(name) > limit:
        yield Cause("metadata.name", "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def _workload(body: Body, old: Body | None) -> Causes:
    spec = body.get("spec") or {}
    selector, labels = spec.get("selector"), (spec.get("template", {}).get("metadata") or {}).get("labels") or {}
    if not selector:
        yield required("spec.selector")
    elif not selector_matches(selector, labels):
        yield wrong("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if (spec.get("replicas") or 0) < 0:
        yield wrong("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    yield from pod_spec(spec.get("template", {}).get("spec") or {}, "spec.template.spec")
    if old and selector and old["spec"].get("selector") != selector:
        yield immutable("spec.selector", selector)


def _stateful_set(body: Body, old: Body | None) -> Causes:
    yield from _workload(body, None)
    mutable = {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
               "persistentVolumeClaimRetentionPolicy", "minReadySeconds"}  # fmt: skip
    if old and any(
        old["spec"].get(key) != body["spec"].get(key) for key in (old["spec"] | body["spec"]) if key not in mutable
    ):
        text = (
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy',"
            " 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        )
        yield Cause("spec", "FieldValueForbidden", f"Forbidden: {text}")


def pod_spec(spec: Body, path: str) -> Causes:
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{path}.containers")
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or []):
            yield from _container(container, f"{path}.{field}[{index}]", volumes)


def _container(container: Body, path: str, volumes: set[Any]) -> Causes:
    if not container.get("name"):
        yield required(f"{path}.name")
    elif not re.fullmatch(_LABEL, container["name"]):
        yield wrong(f"{path}.name", container["name"], _LABEL_TEXT)
    if not container.get("image"):
        yield required(f"{path}.image")
    for index, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes and not mount.get("name", "").startswith("kube-api-access"):
            field = f"{path}.volumeMounts[{index}].name"
            yield Cause(field, "FieldValueNotFound", f'Not found: "{mount.get("name")}"')


def _pod(body: Body, old: Body | None) -> Causes:
    yield from pod_spec(body.get("spec") or {}, "spec")
    if old is None:
        return
    fixed = {key: value for key, value in old["spec"].items() if key not in ("tolerations", "nodeName")}
    for key, value in fixed.items():
        if key not in ("containers", "initContainers") and body["spec"].get(key) != value:
            text = (
                "pod updates may not change fields other than `spec.containers[*].image`,"
                "`spec.initContainers[*].image`,"
                "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
                "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
            )
            yield Cause("spec", "FieldValueForbidden", f"Forbidden: {text}")
            return


def _service(body: Body, old: Body | None) -> Causes:
    spec = body.get("spec") or {}
    kind = spec.get("type", "ClusterIP")
    if kind not in _SERVICE_TYPES:
        supported = ", ".join(f'"{name}"' for name in _SERVICE_TYPES)
        yield Cause(
            "spec.type", "FieldValueNotSupported", f'Unsupported value: "{kind}": supported values: {supported}'
        )
    ports = spec.get("ports") or []
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    for index, port in enumerate(ports):
        yield from _service_port(port, f"spec.ports[{index}]", len(ports) > 1)
    if kind == "ExternalName" and not spec.get("externalName"):
        yield required("spec.externalName")
    if old and kind != "ExternalName" and _address_changed(old["spec"], spec):
        yield immutable("spec.clusterIPs[0]", [spec.get("clusterIP")], "may not change once set")


def _address_changed(old: Body, new: Body) -> bool:
    return bool(old.get("clusterIP") and new.get("clusterIP") and old["clusterIP"] != new["clusterIP"])


def _service_port(port: Body, path: str, named: bool) -> Causes:
    number = port.get("port", 0)
    if not 1 <= number <= 65535:
        yield wrong(f"{path}.port", number, "must be between 1 and 65535, inclusive")
    if named and not port.get("name"):
        yield required(f"{path}.name")


def _claim(body: Body, old: Body | None) -> Causes:
    spec = body.get("spec") or {}
    if not spec.get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    if not ((spec.get("resources") or {}).get("requests") or {}).get("storage"):
        yield required("spec.resources[storage]")
    if old is None:
        return
    fixed = ("accessModes", "selector", "storageClassName", "volumeMode", "volumeName")
    if any(old["spec"].get(key) not in (None, spec.get(key)) for key in fixed):
        text = (
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        )
        yield Cause("spec", "FieldValueForbidden", f"Forbidden: {text}")


def _secret(body: Body, old: Body | None) -> Causes:
    kind, data = body.get("type", "Opaque"), body.get("data") or {}
    needed = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/tls": "tls.crt"}.get(kind)
    if needed and needed not in data:
        yield required(f"data[{needed}]")
    if old and old.get("type", "Opaque") != kind:
        yield immutable("type", kind)
    if old and old.get("immutable") and old.get("data") != body.get("data"):
        yield Cause("data", "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set")
    if sum(len(value) for value in data.values()) * 3 // 4 > 1048576:
        yield Cause("data", "FieldValueTooLong", "Too long: may not be more than 1048576 bytes")


def _config_map(body: Body, old: Body | None) -> Causes:
    if old and old.get("immutable") and old.get("data") != body.get("data"):
        yield Cause("data", "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set")


def _role_binding(body: Body, old: Body | None) -> Causes:
    if not (body.get("roleRef") or {}).get("name"):
        yield required("roleRef.name")
    if old and old.get("roleRef") != body.get("roleRef"):
        yield immutable("roleRef", body.get("roleRef"), "cannot change roleRef")


def _job(body: Body, old: Body | None) -> Causes:
    spec = body.get("spec") or {}
    yield from pod_spec(spec.get("template", {}).get("spec") or {}, "spec.template.spec")
    policy = spec.get("template", {}).get("spec", {}).get("restartPolicy")
    if policy not in ("OnFailure", "Never"):
        text = (
            'Required value: valid values: "OnFailure", "Never"'
            if not policy
            else (f'Unsupported value: "{policy}": supported values: "OnFailure", "Never"')
        )
        yield Cause("spec.template.spec.restartPolicy", "FieldValueNotSupported", text)
    if old and old["spec"].get("template") != spec.get("template"):
        yield immutable("spec.template", {})


def _priority_class(body: Body, old: Body | None) -> Causes:
    if old and old.get("value") != body.get("value"):
        yield Cause("value", "FieldValueForbidden", "Forbidden: may not be changed in an update.")


_CHECKS: dict[str, Callable[[Body, Body | None], Causes]] = {
    "Deployment": _workload,
    "DaemonSet": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _stateful_set,
    "Pod": _pod,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "Secret": _secret,
    "ConfigMap": _config_map,
    "RoleBinding": _role_binding,
    "ClusterRoleBinding": _role_binding,
    "Job": _job,
    "PriorityClass": _priority_class,
}
