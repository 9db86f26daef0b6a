"""A fresh look at everything that could stand in a hub's way, made side by side: most of it is waiting for answers.

What the portal may not look at goes unseen and is said; it holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from django.utils import timezone

from accounts.policy import allowance
from cloud.azure import groups, identity, network, node_pools, offers, policies, registries, rights, vaults
from cloud.azure.clusters import Cluster
from cloud.azure.session import NOT_REGISTERED
from cloud.errors import InvalidRequest, PermanentError, PermissionDenied, SlipwayError
from deployments import looking, outside
from deployments.forms.description import secret_fields
from deployments.making import SIZE, named, pool_sizes, unnamed
from deployments.naming import OWNER_TAG
from deployments.place import region_name
from deployments.preflight import CoresFact, Denial, Facts, NameFact, SizeFact, Unseen, needed_providers
from deployments.preflight.facts import VaultState
from deployments.preflight.names import is_dns_label
from deployments.services import HUB_TOKENS
from deployments.spec import HubSpec
from deployments.states import OperationKind
from worker.hub import HubContext
from worker.steps.registry import find as find_registry

T = TypeVar("T")
#: Looks at the same time.
WIDTH = 8
#: Quotas that other hubs were told of serve for so long at the most (seconds): hubs use them up.
QUOTAS_LAST = 5.0
SPREADING, NO_SECRET, NO_VAULT = "ForbiddenByRbac", "SecretNotFound", "VaultNotFound"


class Look:
    """One look at the ground that a hub is to stand on.

    What Azure tells of subscription and region may have been told to other hubs `max_age` seconds ago; `borrowed` says
    whether something was. Nobody fails for that without a look of their own: it may be mended by now.
    """

    def __init__(self, ctx: HubContext, max_age: float = 0.0) -> None:
        self.ctx, self.az, self.subscription = ctx, ctx.az, ctx.subscription
        self.max_age, self.borrowed = max_age, False
        self.spec, self.names = described(ctx), ctx.names
        self._unseen: dict[str, Unseen] = {}

    def gate(self) -> Facts:
        """Who we are, and what we may do in the subscription: what all other looks rest on."""
        me = identity.who(self.az)
        vault, region = outside.vault_name(), region_name(self.spec)
        known = Facts(identity=str(me), object_id=me.object_id, vault_name=vault, region_name=region)
        mine = self._shared("subscription", self._own_subscription)
        if mine is None:
            return replace(known, subscription_seen=False)
        wanted = needed_providers(self.spec)
        return replace(
            known,
            subscription_seen=True,
            subscription_name=mine.name,
            subscription_state=mine.state,
            allows=self._shared("rights", lambda: rights.permissions(self.az, self.subscription)).allows,
            providers=self._shared(
                f"providers {','.join(wanted)}", lambda: rights.provider_states(self.az, self.subscription, wanted)
            ),
        )

    def whole(self) -> Facts:
        """Everything."""
        facts = self.gate()
        if not facts.subscription_seen:
            return facts
        vault, secrets = self._secrets()
        cluster = self._own_cluster()
        with ThreadPoolExecutor(WIDTH, thread_name_prefix="look") as pool:
            # Each in this hub's name: what it asks of Azure waits for this hub's turn.
            begun = {
                name: pool.submit(copy_context().run, look) for name, look in self._looks(secrets, cluster).items()
            }
            seen = {name: future.result() for name, future in begun.items()}
        seen |= self._of_cluster(cluster, seen.pop("pools"), seen["sizes"])
        seen |= {"denials": seen["denials"] or (), **(seen.pop("versions") or {})}
        owner = self.ctx.operation.deployment.owner
        return replace(
            facts,
            **seen,
            unseen=tuple(self._unseen[what] for what in sorted(self._unseen)),
            vault=vault,
            today=timezone.localdate(),
            # How long a hub that stands may stay was decided when it was extended.
            longest_days=allowance(owner).max_days if self._is_new else None,
        )

    @property
    def _is_new(self) -> bool:
        return self.ctx.operation.kind == OperationKind.PROVISION

    def _looks(self, secrets: Mapping[str, str], cluster: Cluster | None) -> dict[str, Callable[[], Any]]:
        """Fact → the look at it. None of them touches the database: they run in threads of their own."""
        looks: dict[str, Callable[[], Any]] = {
            "sizes": self._may(
                "machine sizes", "Microsoft.Compute/skus/read", partial(self._shared, "sizes", self._sizes)
            ),
            "quotas": self._may(
                "core quotas",
                "Microsoft.Compute/locations/usages/read",
                partial(self._shared, "quotas", self._quotas, QUOTAS_LAST),
            ),
            "versions": self._may(
                "Kubernetes versions",
                "Microsoft.ContainerService/locations/kubernetesVersions/read",
                partial(self._shared, "versions", self._versions),
            ),
            "addresses": self._may(
                "public addresses",
                "Microsoft.Network/locations/usages/read",
                partial(self._shared, "addresses", self._addresses, QUOTAS_LAST),
            ),
            "denials": self._may("policies", "Microsoft.PolicyInsights/checkPolicyRestrictions/read", self._denials),
            "taken_group_owner": self._may(
                "resource groups", "Microsoft.Resources/subscriptions/resourceGroups/read", self._group_owner
            ),
            "dns_label": self._may(
                "names on the internet", "Microsoft.Network/locations/checkDnsNameAvailability/read", self._dns_label
            ),
            "registry_name": self._may(
                "registry names", "Microsoft.ContainerRegistry/checkNameAvailability/read", self._registry_name
            ),
            "pools": partial(self._pools, cluster),
            "overlay": partial(looking.overlay_problems, self.spec),
            "chart_found": partial(looking.chart_found, self.spec.chart_version),
        }
        return looks | looking.trials(self.spec, self.names, secrets)

    def _may(self, what: str, right: str, look: Callable[[], T]) -> Callable[[], T | None]:
        """The look, or None and a note where the portal may not look, or the service is not switched on."""

        def looked() -> T | None:
            try:
                return look()
            except PermissionDenied:
                self._unseen[what] = Unseen(what, right)
            except PermanentError as error:
                if error.code != NOT_REGISTERED:
                    raise
                self._unseen[what] = Unseen(what)
            return None

        return looked

    def _shared(self, what: str, ask: Callable[[], T], most: float = float("inf")) -> T:
        """The answer, from another hub's look where that is young enough: `most` seconds at the most."""
        asked = []

        def answer() -> T:
            asked.append(what)
            return ask()

        told = self.ctx.shared(what, min(self.max_age, most), answer)
        if not asked:
            self.borrowed = True
        return told

    # --- Azure -------------------------------------------------------------------------------------------------

    def _own_subscription(self) -> offers.Subscription | None:
        wanted = self.subscription.lower()
        return next((each for each in offers.list_subscriptions(self.az) if each.id.lower() == wanted), None)

    def _sizes(self) -> dict[str, SizeFact]:
        found = offers.list_node_sizes(self.az, self.subscription, self.spec.region)
        return {size.name: SizeFact(size.family, size.vcpus, size.restricted, size.memory_gib) for size in found}

    def _quotas(self) -> dict[str, CoresFact]:
        found = offers.list_quotas(self.az, self.subscription, self.spec.region)
        return {key: CoresFact(quota.label, quota.used, quota.limit) for key, quota in found.items()}

    def _versions(self) -> dict[str, tuple[str, ...]]:
        found = offers.list_kubernetes_versions(self.az, self.subscription, self.spec.region)
        return {
            "versions": tuple(each.version for each in found if each.is_for_everybody),
            "previews": tuple(each.version for each in found if each.is_preview),
            "long_term": tuple(each.version for each in found if each.is_long_term),
        }

    def _addresses(self) -> CoresFact | None:
        found = network.address_quota(self.az, self.subscription, self.spec.region)
        return CoresFact(found.label, found.used, found.limit) if found else None

    def _denials(self) -> tuple[Denial, ...]:
        common = f"policies for {','.join(pool_sizes(self.spec))}"
        found = policies.denials(self.az, self.subscription, named(self.spec, self.names))
        found += self._shared(
            common, lambda: policies.denials(self.az, self.subscription, unnamed(self.spec, self.names))
        )
        return tuple(Denial(each.policy, each.what, sizes=each.values if each.field == SIZE else ()) for each in found)

    def _group_owner(self) -> str | None:
        group = groups.get_group(self.az, self.subscription, self.names.group)
        return None if group is None else group.tags.get(OWNER_TAG, "somebody else")

    def _dns_label(self) -> NameFact | None:
        if not is_dns_label(self.names.dns_label):
            return None  # said by its rules already; Azure refuses even the question
        return NameFact(network.label_is_free(self.az, self.subscription, self.spec.region, self.names.dns_label))

    def _registry_name(self) -> NameFact | None:
        if self.spec.registry != "acr":
            return None
        own = find_registry(self.ctx)
        if own is not None and self.ctx.is_ours(own.tags):
            return NameFact(True)
        found = registries.name_available(self.az, self.subscription, self.names.registry)
        return NameFact(found.available, found.message)

    def _own_cluster(self) -> Cluster | None:
        """The hub's cluster, when it stands already and is ours."""
        found = self.ctx.cluster()
        return found if found is not None and self.ctx.is_ours(found.tags) else None

    def _pools(self, cluster: Cluster | None) -> list[node_pools.PoolFound]:
        if cluster is None:
            return []
        return node_pools.list_pools(self.az, self.subscription, self.names.group, self.names.cluster)

    @staticmethod
    def _of_cluster(
        cluster: Cluster | None, pools: list[node_pools.PoolFound], sizes: Mapping[str, SizeFact] | None
    ) -> dict[str, Any]:
        """What our own cluster has in use already, by quota key."""
        if cluster is None:
            return {}
        cores: dict[str, int] = {}
        known = {name.lower(): size for name, size in (sizes or {}).items()}
        for pool in pools:
            if size := known.get(pool.vm_size.lower()):
                for key in ("cores", size.family.lower()):
                    cores[key] = cores.get(key, 0) + size.vcpus * pool.count
        return {"own_cluster_exists": True, "own_version": cluster.kubernetes_version, "own_cores": cores}

    # --- the vault ---------------------------------------------------------------------------------------------

    def _secrets(self) -> tuple[VaultState, dict[str, str]]:
        """The hub's secrets by purpose, and how the vault took the question."""
        try:
            return "ok", {purpose: self.ctx.secret(purpose) for purpose in (*secret_fields(self.spec), HUB_TOKENS)}
        except SlipwayError as error:
            if isinstance(error, PermissionDenied) or error.code == SPREADING:
                return "refused", {}
            if isinstance(error, InvalidRequest) and error.code == NO_SECRET:
                return "missing", {}
            if isinstance(error, PermanentError) and not error.code:
                return "missing", {}
            if self._vault_was_deleted():
                return "deleted", {}
            raise

    def _vault_was_deleted(self) -> bool:
        """Looked for only where the vault does not answer; in what subscriptions we see."""
        try:
            found = [vaults.list_deleted_vaults(self.az, each.id) for each in offers.list_subscriptions(self.az)]
        except SlipwayError:
            return False
        return outside.vault_name().lower() in {vault.name.lower() for several in found for vault in several}


def described(ctx: HubContext) -> HubSpec:
    """What is to be built; how long it stays is what the hub itself says, which may have been extended."""
    return replace(ctx.spec, keep_until=ctx.operation.deployment.keep_until)
