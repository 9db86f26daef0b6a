"""AKS clusters: begin, follow, look, delete. Nothing here waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloud.azure.enums import word
from cloud.azure.operations import Change, Ticket, TokenLost
from cloud.azure.session import NOT_REGISTERED, AzureSession
from cloud.azure.translate import error_code, operation_error, translated
from cloud.errors import Conflict, InvalidRequest, PermanentError, SlipwayError

if TYPE_CHECKING:
    from cloud.azure.polling import StepPolling

TYPE = "Microsoft.ContainerService/managedClusters"
LIST_API = "2025-05-01"
ABSENT_CODES = {"ResourceNotFound", "ResourceGroupNotFound", "NotFound"}


@dataclass(frozen=True, slots=True)
class NodePool:
    """A set of equal machines; `mode` is System (runs the cluster's own pods) or User."""

    name: str
    mode: str
    count: int
    vm_size: str
    min_count: int | None = None
    max_count: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()
    os_disk_gb: int | None = None


@dataclass(frozen=True, slots=True)
class ClusterRequest:
    """A cluster as asked for; `tier` is Free or Standard."""

    subscription: str
    group: str
    name: str
    region: str
    dns_prefix: str
    kubernetes_version: str
    tier: str
    pools: tuple[NodePool, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as Azure sees it; `state` is ARM's provisioningState, `power` Running or Stopped.

    `error` and `error_code` are Azure's own words about the last change, when that failed.
    """

    id: str
    name: str
    region: str
    state: str
    power: str
    kubernetes_version: str
    node_group: str
    tags: dict[str, str]
    fqdn: str
    error: str = ""
    error_code: str = ""
    tier: str = ""
    #: Object id of the identity that the nodes pull images as.
    node_identity: str = ""


def get_cluster(az: AzureSession, subscription: str, group: str, name: str) -> Cluster | None:
    """The cluster, or None when Azure itself says that there is none."""
    from azure.core.exceptions import ResourceNotFoundError

    with translated(f"look at the cluster {name}"):
        try:
            return cluster_seen(az.clusters(subscription).managed_clusters.get(group, name))
        except ResourceNotFoundError as exc:
            if error_code(exc) in ABSENT_CODES:
                return None
            raise


def cluster_states(az: AzureSession, subscription: str) -> dict[str, str]:
    """Every cluster of the subscription by its id in small letters, with ARM's provisioningState: one call for all.

    As plain JSON: the SDK would make a dozen objects of each of what may be thousands.
    """
    from azure.core.rest import HttpRequest

    client, found = az.clusters(subscription), dict[str, str]()
    url = f"{az.profile.arm}/subscriptions/{subscription}/providers/{TYPE}?api-version={LIST_API}"
    try:
        while url:
            with translated("list the clusters"):
                answer = client.send_request(HttpRequest("GET", url))
                answer.raise_for_status()
                content = answer.json()
            for entry in content["value"]:
                found[entry["id"].lower()] = entry["properties"].get("provisioningState") or ""
            url = content.get("nextLink") or ""
    except PermanentError as error:
        if error.code != NOT_REGISTERED:
            raise
    return found


def create_cluster(az: AzureSession, request: ClusterRequest, *, only_new: bool = True) -> str:
    """Begin to create; returns the token for `poll_change`.

    With `only_new` a cluster that is there already raises Conflict and stays as it is; without, this is how a failed
    one is told to try again.
    """
    from azure.core import MatchConditions

    from cloud.azure.polling import StepPolling

    with translated(f"create the cluster {request.name}"):
        poller = StepPolling()
        condition = MatchConditions.IfMissing if only_new else None
        clusters = az.clusters(request.subscription).managed_clusters
        body: Any = cluster_body(request)
        # Sent once: when only the answer is lost, a second PUT would meet the first one's cluster and call it taken.
        options: dict[str, Any] = {"match_condition": condition, "polling": poller, "retry_read": 0}
        clusters.begin_create_or_update(request.group, request.name, body, **options)
        return Ticket("create", request.group, request.name, poller.get_continuation_token()).encode()


def delete_cluster(az: AzureSession, subscription: str, group: str, name: str) -> str:
    """Begin to delete; returns a token for `poll_change`, "" when there is nothing to delete."""
    return _begin(az, subscription, Ticket("delete", group, name, ""))


def abort_cluster(az: AzureSession, subscription: str, group: str, name: str) -> str:
    """Ask Azure to stop what it is doing to the cluster; returns a token, "" when there is no cluster."""
    return _begin(az, subscription, Ticket("abort", group, name, ""))


def stop_cluster(az: AzureSession, subscription: str, group: str, name: str) -> str:
    """Begin to switch all nodes off; returns a token, "" when there is no cluster."""
    return _begin(az, subscription, Ticket("stop", group, name, ""))


def start_cluster(az: AzureSession, subscription: str, group: str, name: str) -> str:
    """Begin to switch a stopped cluster on; returns a token, "" when there is no cluster."""
    return _begin(az, subscription, Ticket("start", group, name, ""))


def update_cluster(
    az: AzureSession, subscription: str, group: str, name: str, *, kubernetes_version: str, tier: str
) -> str:
    """Begin to bring the control plane to this version and tier; the nodes are another matter (node_pools).

    Reads the cluster and sends it back changed, as Azure's own tools do: everything else stays as it is.
    """
    from azure.core import MatchConditions

    from cloud.azure.polling import StepPolling

    with translated(f"change the cluster {name}"):
        clusters = az.clusters(subscription).managed_clusters
        body = clusters.get(group, name)
        if body.properties is not None:
            body.properties.kubernetes_version = kubernetes_version
        if body.sku is not None:
            body.sku.tier = tier
        poller = StepPolling()
        options: dict[str, Any] = {"polling": poller, "retry_read": 0}
        if body.e_tag:
            # Somebody else's change between our look and our write is not overwritten.
            options |= {"etag": body.e_tag, "match_condition": MatchConditions.IfNotModified}
        clusters.begin_create_or_update(group, name, body, **options)
        return Ticket("create", group, name, poller.get_continuation_token()).encode()


def poll_change(az: AzureSession, subscription: str, token: str, *, group: str = "", name: str = "") -> Change:
    """Look once at how a change is getting on.

    When Azure has forgotten the operation, the cluster itself is asked; `group` and `name` help where not even the
    token can be read any more.
    """
    from cloud.azure.polling import look

    ticket = Ticket.decode(token) or (Ticket("create", group, name, "") if group and name else None)
    if ticket is None:
        raise InvalidRequest("We lost track of a change to the cluster.", "Look at the cluster itself instead.")
    what = f"{ticket.kind} the cluster {ticket.name}"
    with translated(f"see how far Azure is: {what}"):
        try:
            return look(lambda poller, text: _resume(az, subscription, ticket, poller, text), ticket.sdk_token, what)
        except TokenLost:
            return _change_seen(get_cluster(az, subscription, ticket.group, ticket.name), ticket, what)


def kubeconfig(az: AzureSession, subscription: str, group: str, name: str) -> bytes:
    """Administrator's credentials as a kubeconfig. Keep it in memory: it opens the whole cluster."""
    with translated(f"fetch the credentials of the cluster {name}"):
        found = az.clusters(subscription).managed_clusters.list_cluster_admin_credentials(group, name).kubeconfigs
        if not found or not found[0].value:
            raise PermanentError(
                f"Azure handed out no credentials for the cluster {name}.",
                "Check that the cluster allows local accounts.",
            )
        return bytes(found[0].value)


def cluster_body(request: ClusterRequest) -> dict[str, Any]:
    """What ARM is asked for: our standing choices around the person's."""
    return {
        "location": request.region,
        "tags": dict(request.tags),
        "sku": {"name": "Base", "tier": request.tier},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "dnsPrefix": request.dns_prefix,
            "kubernetesVersion": request.kubernetes_version,
            "enableRBAC": True,
            "agentPoolProfiles": [pool_body(pool) for pool in request.pools],
            "networkProfile": {
                "networkPlugin": "azure",
                "networkPluginMode": "overlay",
                # Without an engine, NetworkPolicies are accepted and silently not enforced.
                "networkPolicy": "azure",
                "loadBalancerSku": "standard",
            },
            "oidcIssuerProfile": {"enabled": True},
            "securityProfile": {"workloadIdentity": {"enabled": True}},
            "autoUpgradeProfile": {"upgradeChannel": "patch"},
        },
    }


def pool_body(pool: NodePool) -> dict[str, Any]:
    """A pool's properties as ARM takes them, its name among them."""
    body: dict[str, Any] = {
        "name": pool.name,
        "mode": pool.mode,
        "count": pool.count,
        "vmSize": pool.vm_size,
        "osType": "Linux",
        "type": "VirtualMachineScaleSets",
    }
    if pool.labels:
        body["nodeLabels"] = dict(pool.labels)
    if pool.taints:
        body["nodeTaints"] = list(pool.taints)
    if pool.os_disk_gb:
        body["osDiskSizeGB"] = pool.os_disk_gb
    if pool.min_count is not None and pool.max_count is not None:
        body |= {"enableAutoScaling": True, "minCount": pool.min_count, "maxCount": pool.max_count}
    return body


def _begin(az: AzureSession, subscription: str, ticket: Ticket) -> str:
    from azure.core.exceptions import ResourceNotFoundError

    from cloud.azure.polling import StepPolling

    with translated(f"{ticket.kind} the cluster {ticket.name}"):
        poller = StepPolling()
        try:
            _resume(az, subscription, ticket, poller, None)
        except ResourceNotFoundError as exc:
            if error_code(exc) in ABSENT_CODES:
                return ""
            raise
        if poller.last_answer.status_code == 204:
            return ""
        return Ticket(ticket.kind, ticket.group, ticket.name, poller.get_continuation_token()).encode()


def _resume(az: AzureSession, subscription: str, ticket: Ticket, poller: "StepPolling", token: str | None) -> None:
    """Start the ticket's operation, or with a token go on with it: then the SDK sends nothing by itself."""
    clusters = az.clusters(subscription).managed_clusters
    if token == "":
        raise TokenLost
    options: dict[str, Any] = {"polling": poller, "continuation_token": token}
    unsent: Any = {}
    if ticket.kind == "create":
        clusters.begin_create_or_update(ticket.group, ticket.name, unsent, **options)
    elif ticket.kind == "delete":
        clusters.begin_delete(ticket.group, ticket.name, **options)
    elif ticket.kind == "stop":
        clusters.begin_stop(ticket.group, ticket.name, **options)
    elif ticket.kind == "start":
        clusters.begin_start(ticket.group, ticket.name, **options)
    else:
        clusters.begin_abort_latest_operation(ticket.group, ticket.name, **options)


def _change_seen(cluster: Cluster | None, ticket: Ticket, what: str) -> Change:
    if cluster is None:
        return Change("succeeded") if ticket.kind == "delete" else Change("failed", _vanished(what))
    if cluster.state in {"Failed", "Canceled"} and ticket.kind != "abort":
        return Change("failed", failure_of(cluster, what))
    if cluster.state in {"Succeeded", "Failed", "Canceled"}:
        return Change("succeeded") if ticket.kind != "delete" else Change("failed", _still_there(what))
    return Change("running")


def failure_of(cluster: Cluster, what: str) -> SlipwayError:
    """The typed error of a cluster whose state is Failed or Canceled."""
    if not cluster.error_code and not cluster.error:
        return PermanentError(
            f"We could not {what}: Azure gave up ({cluster.state.lower()}) and does not say why.",
            "Try again; if it fails the same way, look at the cluster's activity log in the Azure portal.",
            code=cluster.state,
        )
    return operation_error({"code": cluster.error_code or cluster.state, "message": cluster.error}, what)


def _vanished(what: str) -> SlipwayError:
    return Conflict(f"We could not {what}: it is no longer there.", "Somebody may have deleted it. Try again.")


def _still_there(what: str) -> SlipwayError:
    return Conflict(f"We could not {what}: Azure gave up and left it in place.", "Try again.")


def cluster_seen(found: Any) -> Cluster:
    """What the SDK read, in our words."""
    properties = found.properties
    failure = _provisioning_error(properties)
    return Cluster(
        id=found.id or "",
        name=found.name or "",
        region=found.location or "",
        state=word(properties.provisioning_state),
        power=word(properties.power_state.code if properties.power_state else ""),
        kubernetes_version=properties.current_kubernetes_version or properties.kubernetes_version or "",
        node_group=properties.node_resource_group or "",
        tags=dict(found.tags or {}),
        fqdn=properties.fqdn or "",
        error=failure.get("message") or "",
        error_code=failure.get("code") or "",
        node_identity=_node_identity(properties),
        tier=word(found.sku.tier) if found.sku else "",
    )


def _node_identity(properties: Any) -> str:
    found = (properties.identity_profile or {}).get("kubeletidentity")
    return str(found.object_id or "") if found else ""


def _provisioning_error(properties: Any) -> Mapping[str, Any]:
    """Azure's note about the last change that failed; older answers have none."""
    status = properties.status
    noted: Mapping[str, Any] | None = status.provisioning_error if status else None
    return noted or {}
