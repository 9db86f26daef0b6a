"""Rules about what a hub stands on: machines, disks, its address, its certificate, what the cluster allows. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.diagnosis.rule import Rule, Sighting, either, event, evicted, failed, logged, pressure
from deployments.diagnosis.symptoms import Symptoms

#: A new machine, and a new address, may take this long (seconds).
NODE_PATIENCE, ADDRESS_PATIENCE = 180.0, 300.0


def no_nodes(symptoms: Symptoms) -> list[Sighting]:
    if symptoms.nodes is None or any(node.ready for node in symptoms.nodes):
        return []
    lost = [node for node in symptoms.nodes if node.reason == "NodeStatusUnknown"]
    if lost:
        return [Sighting(node.name, node.message) for node in lost]
    return [] if symptoms.nodes else [Sighting("", "the cluster has no nodes")]


def node_not_ready(symptoms: Symptoms) -> Iterator[Sighting]:
    for node in symptoms.nodes or ():
        if not node.ready:
            yield Sighting(node.name, f"{node.reason}: {node.message}".strip(": "), node.created)


def node_closed(symptoms: Symptoms) -> list[Sighting]:
    return [Sighting(node.name, "closed for new pods (cordoned)") for node in symptoms.nodes or () if node.closed]


def no_address(symptoms: Symptoms) -> Iterator[Sighting]:
    for service in symptoms.services:
        if service.type == "LoadBalancer" and not service.addresses:
            about = f"Service/{service.name}"
            told = [each.message for each in symptoms.events if each.about == about and each.type == "Warning"]
            yield Sighting(service.name, told[-1] if told else "", service.created)


def claim_pending(symptoms: Symptoms) -> Iterator[Sighting]:
    for claim in symptoms.claims:
        about = f"PersistentVolumeClaim/{claim.name}"
        told = [each for each in symptoms.warnings if each.about == about and each.reason == "ProvisioningFailed"]
        if claim.phase == "Lost":
            yield Sighting(claim.name, "the disk it was bound to is gone (Lost)")
        elif claim.phase == "Pending" and told:
            yield Sighting(claim.name, told[-1].message)


DISK_FULL = r"no space left on device|ephemeral-storage|disk ?pressure|low on resource: (?:imagefs|nodefs|inodes)"
CLUSTER_QUOTA = r"exceeded quota|forbidden: exceeded"
POLICY = r"validation\.gatekeeper\.sh|denied by azurepolicy|\[azurepolicy-"
WEBHOOK = r"failed calling webhook|admission webhook .* denied the request"
CERTIFICATE = r"unable to obtain (?:acme )?certificate|acme: error|error obtaining certificate"

RULES: tuple[Rule, ...] = (
    Rule(
        "cluster-silent",
        "The hub's cluster does not answer.",
        "It was stopped in Azure, its subscription is blocked, or Azure is at work on it.",
        "Wait some minutes. If it stays so, stop the hub here and start it again; then look at the subscription's state"
        " in the Azure portal.",
        lambda symptoms: [Sighting("", symptoms.silence)] if symptoms.silence else [],
        hides=("health-jupyterhub", "health-registry"),
    ),
    Rule(
        "no-nodes",
        "The hub's cluster has no machine that runs.",
        "It was stopped, its subscription is blocked, or its last machine has gone.",
        "Start the hub. If it does not start, look at the subscription's state in the Azure portal.",
        no_nodes,
        hides=("node-not-ready", "hub-full", "no-fitting-node", "health-jupyterhub", "health-registry"),
    ),
    Rule(
        "node-not-ready",
        "The machine {subject} does not answer the cluster.",
        "Azure may be repairing or replacing it; pods on it do not work meanwhile.",
        "Wait ten minutes. If it stays so, stop and start the hub: it then gets new machines.",
        node_not_ready,
        patience=NODE_PATIENCE,
    ),
    Rule(
        "disk-full",
        "A machine's disk is full.",
        "Each repository that people open leaves its image on the machine's disk, until nothing fits any more.",
        "The image cleaner removes old images by itself within minutes. If it happens again, change the hub to a"
        " bigger disk or to more machines.",
        either(pressure("DiskPressure"), evicted(DISK_FULL), event(DISK_FULL), logged(DISK_FULL), failed(DISK_FULL)),
        hides=("evicted", "build-failed"),
    ),
    Rule(
        "node-memory",
        "A machine is short of memory.",
        "The sessions on it use more memory than they were expected to.",
        "Change the hub: limit the memory of each session, or take bigger or more machines.",
        either(pressure("MemoryPressure"), evicted(r"low on resource: memory|MemoryPressure")),
        hides=("evicted",),
    ),
    Rule(
        "node-processes",
        "A machine runs too many programs at once.",
        "Something started very many processes, usually one session that went wild.",
        "Stop that session in the hub's admin page; with more machines there is more room.",
        pressure("PIDPressure"),
    ),
    Rule(
        "node-network",
        "A machine has no network.",
        "Azure has not set up its network, or has taken it away.",
        "Wait ten minutes. If it stays so, stop and start the hub: it then gets new machines.",
        pressure("NetworkUnavailable"),
    ),
    Rule(
        "node-closed",
        "The machine {subject} takes no new pods.",
        "Somebody, or an upgrade that broke off, has closed it (cordoned).",
        "An upgrade opens it again by itself. Else whoever runs the cluster opens it with “kubectl uncordon”.",
        node_closed,
    ),
    Rule(
        "ip-limit",
        "Azure gives the hub no public address: the subscription has no more of them in this region.",
        "Each subscription has a limit on public addresses in each region, and it is used up.",
        "Take down a hub you no longer need, or ask for a higher “Public IP addresses” quota in the Azure portal.",
        event(r"PublicIPCountLimitReached|public ?ip.*(?:limit|quota)", about="Service"),
        lasting=300.0,
        hides=("address-pending",),
    ),
    Rule(
        "dns-taken",
        "The hub's name on the internet is taken.",
        "Another public address in this region already has the same DNS label.",
        "Request the hub anew: its label ends in other characters then.",
        event(r"DnsRecordInUse|already used by another public IP", about="Service"),
        lasting=300.0,
        hides=("address-pending",),
    ),
    Rule(
        "dns-label-refused",
        "Azure does not accept the hub's name on the internet.",
        "The DNS label breaks Azure's rules, or holds a word that Azure keeps for itself.",
        "Request the hub anew under another name.",
        event(
            r"DomainNameLabel(?:Invalid|Reserved)|ReservedResourceName|domain name label .* is invalid", about="Serv"
        ),
        lasting=120.0,
        hides=("address-pending",),
    ),
    Rule(
        "address-refused",
        "Azure does not let the cluster make a public address.",
        "The cluster's own identity lacks the right, or a rule of the organisation forbids public addresses.",
        "Send the words below to whoever runs your subscription.",
        event(r"AuthorizationFailed|LinkedAuthorizationFailed|RequestDisallowedByPolicy", about="Service"),
        lasting=600.0,
        hides=("address-pending",),
    ),
    Rule(
        "address-pending",
        "The hub has had no public address for more than five minutes.",
        "Azure usually gives one within two minutes; it has said nothing that we know, or what stands below.",
        "Wait a little more. If it stays so, retry; then take the hub down and request it anew.",
        no_address,
        patience=ADDRESS_PATIENCE,
    ),
    Rule(
        "dns-wrong",
        "The hub's address does not lead to the hub yet.",
        "The certificate is only given out when the name leads here, and it does not, or not everywhere yet.",
        "With a domain of your own: make the CNAME record that the hub's page shows, then wait up to an hour.",
        logged(
            r"DNS problem|NXDOMAIN|no valid A records found|Timeout during connect|likely firewall", part="autohttps"
        ),
        hides=("certificate", "crash-loop"),
    ),
    Rule(
        "certificate-limit",
        "Let's Encrypt gives this name no more certificates for now.",
        "It gives out a limited number of certificates for one name in a week.",
        "Wait until the moment named below, or use another domain.",
        logged(r"rateLimited|too many certificates|too many failed authorizations", part="autohttps"),
        hides=("certificate",),
    ),
    Rule(
        "certificate",
        "The hub has no certificate for HTTPS yet.",
        "Asking for it failed; browsers warn, or do not connect at all, until it is there.",
        "It is asked for again by itself. If it stays so after an hour, send the words below to who runs Slipway.",
        logged(CERTIFICATE, part="autohttps"),
    ),
    Rule(
        "disk-refused",
        "The disk {subject} could not be made.",
        "Azure refused it, or its kind is not known in this cluster. The hub keeps its list of users on it.",
        "Retry. If it fails the same way, choose another region: not every kind of disk exists in each.",
        claim_pending,
        lasting=300.0,
        hides=("no-fitting-node",),
    ),
    Rule(
        "disk-attach",
        "A disk cannot be attached to its machine.",
        "It still hangs on another machine, or the machine has as many disks as its size allows.",
        "Wait ten minutes: Azure lets go of it then. If there are too many disks, choose a bigger machine size.",
        either(
            event(r"Multi-Attach error|already attached|maximum number of data disks|AttachVolume", reason="Attach"),
            event(r"exceed max volume count", about="Pod"),
        ),
    ),
    Rule(
        "cluster-quota",
        "The cluster allows no more of these.",
        "A quota set in the hub's namespace is used up.",
        "Ask whoever set the quota to raise it, or stop sessions that nobody uses.",
        either(event(CLUSTER_QUOTA), failed(CLUSTER_QUOTA)),
        lasting=300.0,
    ),
    Rule(
        "policy",
        "A rule of your organisation forbids a part of the hub.",
        "Azure Policy watches the cluster and refused it.",
        "Send the words below to whoever runs your subscription: they name the rule.",
        either(event(POLICY), failed(POLICY)),
        lasting=300.0,
        hides=("webhook",),
    ),
    Rule(
        "webhook",
        "Something installed in the cluster refuses the hub's parts, or does not answer when asked about them.",
        "It is a so-called admission webhook: it must agree to everything that is made.",
        "Retry in some minutes. If it stays so, tell whoever installed it; its name stands below.",
        either(event(WEBHOOK), failed(WEBHOOK)),
    ),
)
