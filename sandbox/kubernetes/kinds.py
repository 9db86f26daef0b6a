"""The kinds this API serves: group, version, plural, kind, and whether they live in a namespace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One resource type. `resource` (the plural) is unique over all groups served here."""

    group: str
    version: str
    resource: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    create_only: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`deployments.apps`, or `pods`: how the server's messages name it."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def qualified_kind(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def singular(self) -> str:
        return self.kind.lower()


_STATUS = ("status",)
_SCALE = ("status", "scale")

KINDS: tuple[Kind, ...] = (
    Kind("", "v1", "namespaces", "Namespace", False, ("ns",), ("status", "finalize")),
    Kind("", "v1", "nodes", "Node", False, ("no",), _STATUS),
    Kind("", "v1", "pods", "Pod", True, ("po",), ("status", "log")),
    Kind("", "v1", "services", "Service", True, ("svc",), _STATUS),
    Kind("", "v1", "endpoints", "Endpoints", True, ("ep",)),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "configmaps", "ConfigMap", True, ("cm",)),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",)),
    Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, ("pvc",), _STATUS),
    Kind("", "v1", "persistentvolumes", "PersistentVolume", False, ("pv",), _STATUS),
    Kind("", "v1", "events", "Event", True, ("ev",)),
    Kind("", "v1", "resourcequotas", "ResourceQuota", True, ("quota",), _STATUS),
    Kind("", "v1", "limitranges", "LimitRange", True, ("limits",)),
    Kind("apps", "v1", "deployments", "Deployment", True, ("deploy",), _SCALE),
    Kind("apps", "v1", "statefulsets", "StatefulSet", True, ("sts",), _SCALE),
    Kind("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), _STATUS),
    Kind("apps", "v1", "replicasets", "ReplicaSet", True, ("rs",), _SCALE),
    Kind("apps", "v1", "controllerrevisions", "ControllerRevision"),
    Kind("batch", "v1", "jobs", "Job", True, (), _STATUS),
    Kind("batch", "v1", "cronjobs", "CronJob", True, ("cj",), _STATUS),
    Kind("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
    Kind("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False),
    Kind("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",)),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress", True, ("ing",), _STATUS),
    Kind("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False),
    Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",), _STATUS),
    Kind("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False, ("pc",)),
    Kind("storage.k8s.io", "v1", "storageclasses", "StorageClass", False, ("sc",)),
    Kind("coordination.k8s.io", "v1", "leases", "Lease"),
    Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True, ("hpa",), _STATUS),
    Kind(
        "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False, ("crd",), _STATUS
    ),
    Kind("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, create_only=True),
)

#: events.k8s.io shows the same events under another address.
EVENTS_V1 = Kind("events.k8s.io", "v1", "events", "Event", True, ("ev",))
SERVED: tuple[Kind, ...] = (*KINDS, EVENTS_V1)

BY_RESOURCE: dict[str, Kind] = {kind.resource: kind for kind in KINDS}
_BY_ADDRESS = {(kind.group, kind.version, kind.resource): kind for kind in SERVED}
GROUP_VERSIONS: tuple[tuple[str, str], ...] = tuple(dict.fromkeys((kind.group, kind.version) for kind in SERVED))


def find(group: str, version: str, resource: str) -> Kind | None:
    return _BY_ADDRESS.get((group, version, resource))


def of_group(group: str, version: str) -> list[Kind]:
    return [kind for kind in SERVED if (kind.group, kind.version) == (group, version)]
