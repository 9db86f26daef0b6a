"""The whole job through cloud/ only: from nothing to a server that answers, and back to nothing."""

import hashlib
import uuid

from cloud import binderhub
from cloud.azure import clusters, groups, offers, rights
from cloud.azure.clusters import ClusterRequest, NodePool
from cloud.azure.session import AzureSession
from cloud.errors import RetryableError
from cloud.helm import Helm
from cloud.kubernetes import KubernetesCluster
from cloud.profile import AzureCloud
from sandbox.seeds import SUBSCRIPTIONS
from tests.cloud.hub_values import CHART, hub_values
from tests.cloud.waiting import until

PAID = SUBSCRIPTIONS[0]["id"]
TAG = "slipway-deployment"


class Journey:
    def __init__(self, az: AzureSession, helm: Helm) -> None:
        self.az, self.helm, self.profile = az, helm, az.profile
        self.name = f"job{uuid.uuid4().hex[:6]}"
        self.group = f"slipway-{self.name}"
        self.label = f"{self.name}-{hashlib.sha256(self.name.encode()).hexdigest()[:6]}"
        self.url = self.profile.hub_url(self.label, "uksouth")

    def make_cluster(self) -> None:
        rights.register_provider(self.az, PAID, "Microsoft.ContainerService")
        versions = offers.list_kubernetes_versions(self.az, PAID, "uksouth")
        version = next(found.version for found in versions if found.is_default)
        tags = {TAG: self.name}
        groups.create_group(self.az, PAID, self.group, "uksouth", tags)
        pools = (NodePool("core", "System", 1, "Standard_D4s_v5"),)
        request = ClusterRequest(PAID, self.group, self.name, "uksouth", self.name, version, "Free", pools, tags)
        self.follow(clusters.create_cluster(self.az, request))

    def follow(self, token: str) -> None:
        until(lambda: clusters.poll_change(self.az, PAID, token).state == "succeeded")

    def kubeconfig(self) -> bytes:
        return clusters.kubeconfig(self.az, PAID, self.group, self.name)

    def install(self, cluster: KubernetesCluster) -> None:
        until(lambda: all(node.ready for node in cluster.nodes()) and cluster.nodes())
        cluster.create_namespace(self.name, {TAG: self.name})
        chart = (CHART, self.profile.chart_repository, self.profile.chart_version)
        values = hub_values(self.url, self.label)
        trust = self.profile.chart_ca_bundle
        self.helm.upgrade_install(self.kubeconfig(), self.name, self.name, *chart, values, ca_file=trust)
        until(lambda: all(found.ready == found.desired for found in cluster.workloads(self.name)))

    def address(self, cluster: KubernetesCluster) -> str:
        found = {service.name: service.addresses for service in cluster.services(self.name)}
        return next(iter(found.get("proxy-public", ())), "")

    def launch(self) -> binderhub.BuildOutcome:
        outcome = binderhub.BuildOutcome()
        while not outcome.done:
            outcome = binderhub.follow_build(self.url, "binder-examples/requirements/HEAD", seconds=10)
        return outcome

    def healthy(self) -> bool:
        try:
            return binderhub.health(self.url).ok
        except RetryableError:
            return False


def test_a_hub_is_built_proves_itself_and_is_gone_again(az: AzureSession, helm: Helm, profile: AzureCloud) -> None:
    job = Journey(az, helm)
    job.make_cluster()
    with KubernetesCluster(job.kubeconfig()) as cluster:
        job.install(cluster)
        assert until(lambda: job.address(cluster)) in job.url
        until(job.healthy)
        assert "binderhub" in binderhub.versions(job.url)

        launched = job.launch()
        assert launched.phase == "ready", launched.message
        assert until(lambda: binderhub.server_answers(launched.server_url, launched.server_token))

        hub = binderhub.JupyterHub(job.url, "b" * 32)
        assert hub.version()
        for user in [person.name for person in hub.people()]:
            hub.delete_user(user)
        until(lambda: not hub.people())

        helm.uninstall(job.kubeconfig(), job.name, job.name)
        until(lambda: not job.address(cluster))
        cluster.delete_namespace(job.name)
        until(lambda: cluster.namespace(job.name) is None)

    job.follow(clusters.delete_cluster(az, PAID, job.group, job.name))
    groups.delete_group(az, PAID, job.group)
    until(lambda: groups.get_group(az, PAID, job.group) is None)
    assert groups.list_tagged(az, PAID, TAG, job.name) == []
