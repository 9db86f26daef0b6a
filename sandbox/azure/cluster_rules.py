"""What AKS asks of a cluster before it begins: names, pools, version, sizes, quota."""

from __future__ import annotations

import re
from typing import Any

from sandbox.azure import compute
from sandbox.azure.call import Call
from sandbox.azure.errors import AzureError, aks_error
from sandbox.azure.regions import exact_version
from sandbox.azure.sizes import SIZES, allowed

CLUSTER_NAME = re.compile(r"[a-zA-Z0-9]|[a-zA-Z0-9][-_a-zA-Z0-9]{0,61}[a-zA-Z0-9]")
DNS_PREFIX = re.compile(r"[a-zA-Z0-9]|[a-zA-Z0-9][-a-zA-Z0-9]{0,52}[a-zA-Z0-9]")
POOL_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
TAINT = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_./]*(=[-A-Za-z0-9_.]*)?:(NoSchedule|PreferNoSchedule|NoExecute)")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
LABEL_NAME = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
NODE_GROUP_LENGTH = 80


def invalid(parameter: str, problem: str) -> AzureError:
    return aks_error(
        400,
        "InvalidParameter",
        f"The value of parameter {parameter} is invalid. Error details: {problem}. Please see "
        "https://aka.ms/aks-naming-rules for more details.",
        parameter,
    )


def check_cluster(call: Call, name: str, body: dict[str, Any]) -> None:
    """The rules that need no other state."""
    properties = body.get("properties") or {}
    if not CLUSTER_NAME.fullmatch(name):
        raise invalid("name", "it must be 1 to 63 letters, digits, '_' or '-', with a letter or digit at both ends")
    _check_dns_prefix(properties)
    if not body.get("identity") and not properties.get("servicePrincipalProfile"):
        raise invalid("servicePrincipalProfile.clientId", "Required parameter is missing (null)")
    kind = (body.get("identity") or {}).get("type", "SystemAssigned")
    if kind not in ("SystemAssigned", "UserAssigned", "None"):
        raise invalid("identity.type", f"'{kind}' is none of SystemAssigned, UserAssigned, None")
    tier = (body.get("sku") or {}).get("tier", "Free")
    if tier not in ("Free", "Standard", "Premium"):
        raise invalid("sku.tier", f"'{tier}' is none of Free, Standard, Premium")
    check_version(name, str(properties.get("kubernetesVersion") or ""))
    _check_network(properties.get("networkProfile") or {})
    _check_auto_upgrade(properties.get("autoUpgradeProfile") or {})
    pools = properties.get("agentPoolProfiles") or []
    if not pools:
        raise invalid("agentPoolProfiles", "Required parameter agentPoolProfiles is missing (null)")
    names = [pool.get("name") for pool in pools]
    if len(set(names)) != len(names):
        raise invalid("agentPoolProfiles.name", "the names of agent pools must be unique")
    for pool in pools:
        check_pool(pool)
    if not any(pool.get("mode", "User") == "System" for pool in pools):
        raise invalid("agentPoolProfiles.mode", "There has to be at least one system agent pool")


def _check_dns_prefix(properties: dict[str, Any]) -> None:
    prefix = properties.get("dnsPrefix")
    if not prefix and not properties.get("fqdnSubdomain"):
        raise invalid("dnsPrefix", "Required parameter dnsPrefix is missing (null)")
    if prefix and not DNS_PREFIX.fullmatch(prefix):
        raise invalid("dnsPrefix", "it must be 1 to 54 letters, digits or '-', with a letter or digit at both ends")


def check_version(name: str, wanted: str) -> None:
    if exact_version(wanted) is None:
        raise aks_error(
            400,
            "K8sVersionNotSupported",
            f"Managed cluster {name} is on version {wanted} which is not supported in this region. Please use "
            "[az aks get-versions] command to get the supported version list in this region. For more information, "
            "please check https://aka.ms/supported-version-list",
        )


def _check_network(network: dict[str, Any]) -> None:
    plugin = network.get("networkPlugin", "kubenet")
    if plugin not in ("azure", "kubenet", "none"):
        raise invalid("networkProfile.networkPlugin", f"'{plugin}' is none of azure, kubenet, none")
    if network.get("networkPluginMode") and plugin != "azure":
        raise invalid("networkProfile.networkPluginMode", "overlay needs networkPlugin azure")
    if network.get("networkPolicy", "none") not in ("none", "azure", "calico", "cilium"):
        raise invalid("networkProfile.networkPolicy", "it must be azure, calico, cilium or none")
    if network.get("networkPolicy") == "azure" and plugin != "azure":
        raise invalid("networkProfile.networkPolicy", "azure needs networkPlugin azure")
    if network.get("networkPolicy") == "cilium" and network.get("networkDataplane") != "cilium":
        raise invalid("networkProfile.networkPolicy", "cilium needs networkDataplane cilium")


def _check_auto_upgrade(profile: dict[str, Any]) -> None:
    channel = profile.get("upgradeChannel", "none")
    if channel not in ("none", "patch", "stable", "rapid", "node-image"):
        raise invalid("autoUpgradeProfile.upgradeChannel", f"'{channel}' is no upgrade channel")


def check_pool(pool: dict[str, Any]) -> None:
    """The rules of one agent pool."""
    name = pool.get("name") or ""
    if not POOL_NAME.fullmatch(name):
        raise invalid("agentPoolProfile.name", f"'{name}' must be 1 to 12 lowercase letters or digits, a letter first")
    if not pool.get("vmSize"):
        raise invalid("agentPoolProfile.vmSize", "Required parameter vmSize is missing (null)")
    system = pool.get("mode", "User") == "System"
    if pool.get("mode", "User") not in ("System", "User", "Gateway"):
        raise invalid("agentPoolProfile.mode", f"'{pool['mode']}' is none of System, User, Gateway")
    _check_count(pool, system)
    if pool.get("scaleSetPriority", "Regular") == "Spot" and system:
        raise invalid("agentPoolProfile.scaleSetPriority", "a system agent pool cannot be Spot")
    size = SIZES.get(str(pool["vmSize"]).lower())
    if system and size and (size.vcpus < 2 or size.memory < 4):
        raise invalid("agentPoolProfile.vmSize", "a system agent pool needs at least 2 vCPUs and 4 GB of memory")
    _check_nodes(pool)


def _check_nodes(pool: dict[str, Any]) -> None:
    """Disk (0 for the default, or 30 to 2048 GB), pods, taints and labels of each node."""
    disk, pods = pool.get("osDiskSizeGB") or 0, pool.get("maxPods") or 110
    if disk and not 30 <= disk <= 2048:
        raise invalid("agentPoolProfile.osDiskSizeGB", f"{disk} is not 0 and not from 30 to 2048")
    if not 10 <= pods <= 250:
        raise invalid("agentPoolProfile.maxPods", f"{pods} is not from 10 to 250")
    for taint in pool.get("nodeTaints") or []:
        if not TAINT.fullmatch(taint):
            raise invalid("agentPoolProfile.nodeTaints", f"'{taint}' is not of the form key=value:effect")
    for label, value in (pool.get("nodeLabels") or {}).items():
        if not LABEL_NAME.fullmatch(label):
            raise invalid("agentPoolProfile.nodeLabels", f"the label '{label}' is not valid")
        if not LABEL_VALUE.fullmatch(value):
            raise invalid("agentPoolProfile.nodeLabels", f"the value '{value}' of label '{label}' is not valid")


def _check_count(pool: dict[str, Any], system: bool) -> None:
    count = pool.get("count")
    scaling = bool(pool.get("enableAutoScaling"))
    least, most = pool.get("minCount"), pool.get("maxCount")
    if not scaling and (least is not None or most is not None):
        raise invalid("agentPoolProfile.minCount", "minCount and maxCount need enableAutoScaling")
    if scaling and (least is None or most is None or not 0 <= least <= most <= 1000):
        raise invalid("agentPoolProfile.minCount", "0 <= minCount <= maxCount <= 1000 is required with autoscaling")
    if scaling and count is not None and not least <= count <= most:
        raise invalid("agentPoolProfile.count", "count must lie between minCount and maxCount")
    lowest = 1 if system else 0
    number = least if scaling and count is None else (1 if count is None else count)
    if not isinstance(number, int) or not lowest <= number <= 1000:
        raise invalid("agentPoolProfile.count", f"it must be from {lowest} to 1000")


def check_sizes(call: Call, pools: list[dict[str, Any]], region: str) -> None:
    """Sizes that may be used here and are in stock."""
    for pool in pools:
        size = str(pool["vmSize"])
        if not allowed(size, region):
            offered = ",".join(sorted(key for key in SIZES if allowed(key, region)))
            raise aks_error(
                400,
                "BadRequest",
                f"The VM size of {size} is not allowed in your subscription in location '{region}'. The available VM "
                f"sizes are '{offered}'. For more details, please visit https://aka.ms/cpu-quota",
            )
        if call.core.state.bucket("azure.capacity").get(f"{region}|{size.lower()}"):
            raise AzureError(
                409,
                "SkuNotAvailable",
                f"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: {size}' "
                f"is currently not available in location '{region}'. Please try another size or deploy to a different "
                "location or different zone. See https://aka.ms/azureskunotavailable for details.",
            )


def check_quota(call: Call, before: list[dict[str, Any]], after: list[dict[str, Any]], region: str) -> None:
    """Refuses what would need more cores than are left; `before` are the pools that count already."""
    counted = compute.used(call.store, call.subscription, region)
    wanted = _cores(after)
    had = _cores(before)
    for name, cores in wanted.items():
        more = cores - had.get(name, 0)
        left = compute.limit(call.store, call.subscription, region, name) - counted.get(name, 0)
        if more > max(left, 0):
            where = "regional vcpu quota" if name in ("cores", "lowPriorityCores") else f"vcpu quota of family {name}"
            raise aks_error(
                400,
                "ErrCode_InsufficientVCPUQuota",
                f"Insufficient {where} left for location {region}. left regional vcpu quota {max(left, 0)}, requested "
                f"quota {more}. If you want to increase the quota, please follow this instruction: "
                "https://learn.microsoft.com/en-us/azure/quotas/view-quotas.",
            )


def _cores(pools: list[dict[str, Any]]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for pool in pools:
        for name in compute.quota_names(pool):
            wanted[name] = wanted.get(name, 0) + SIZES[pool["vmSize"].lower()].vcpus * node_count(pool)
    return wanted


def node_count(pool: dict[str, Any]) -> int:
    """How many nodes a pool begins with."""
    count = pool.get("count")
    return int(count if count is not None else pool.get("minCount") or 1)
