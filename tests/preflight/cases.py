"""Every documented failure that can be foreseen, as a state of the world: docs/preflight.md has the same ids.

`typed` are the form's fields in which such a hub differs from a plain one; `asked` is the same for a description.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from deployments import services
from deployments.naming import Names
from tests.preflight.world import CONTRIBUTOR, READER, World

State = Callable[[World], None]
Typed = dict[str, Any]


def nothing(_world: World) -> None:
    """The world is as it is: what was asked for is what cannot be."""


def unnamed(_world: World, _names: Names) -> None:
    """No name is taken."""


@dataclass(frozen=True)
class Case:
    """One failure: `code` is its finding's (or Azure's), `says` what only its sentence says, `field` where."""

    id: str
    code: str
    says: str
    state: State = nothing
    #: Once the hub has its names.
    taken: Callable[[World, Names], None] = unnamed
    asked: Typed | Callable[[World], Typed] = field(default_factory=dict)
    typed: Typed | Callable[[World], Typed] | None = None
    secrets: dict[str, str] | None = None
    field: str = ""
    severity: str = "error"
    #: Where the form itself, without a finding, says it in other words while one types.
    at_field: str = ""

    def description(self, world: World) -> Typed:
        return self.asked(world) if callable(self.asked) else self.asked

    def fields(self, world: World) -> Typed:
        """What is typed; where nothing else is said, the description's own words."""
        if self.typed is None:
            return self.description(world)
        return self.typed(world) if callable(self.typed) else self.typed


MACHINES_TYPE = "Microsoft.Compute/virtualMachineScaleSets"
ACR: Typed = {"registry": "acr", "docker_username": ""}
APP: Typed = {"access": "github", "github_client_id": "Ov23liSlipwayDemo001"}
GITHUB: Typed = APP | {"github_organisations": ("slipwayorg",)}
GITHUB_TYPED: Typed = APP | {"github_organisations": "slipwayorg", "github_secret": "github-demo-secret"}
SIGNED_IN = {services.DOCKER_TOKEN: "dckr_pat_demo", services.GITHUB_SECRET: "github-demo-secret"}
POOL: Typed = {"user_node_size": "Standard_D8s_v5", "user_nodes_min": 0, "user_nodes_max": 9}
PAST = timezone.localdate() - timedelta(days=1)


def all_of(*states: State) -> State:
    """One after the other."""

    def made(world: World) -> None:
        for state in states:
            state(world)

    return made


def university(world: World, **changes: Any) -> Typed:
    place = {"registry": "other", "registry_address": world.registry("university"), "registry_project": "research"}
    return place | {"registry_username": "robot-slipway", "docker_username": ""} | changes


def some_website(world: World) -> Typed:
    return university(world, registry_address=f"127.0.0.1:{world.process.port}")


def with_token(token: str, fields: Callable[[World], Typed]) -> Callable[[World], Typed]:
    return lambda world: fields(world) | {"registry_token": token}


#: What Azure does not let the portal do: the subscription, rights, services, policies.
AZURE = (
    Case("subscription-unseen", "subscription-unseen", "does not see this subscription", lambda w: w.may()),
    Case(
        "subscription-disabled", "subscription-disabled", "is disabled: Azure makes nothing there",
        World.is_disabled, field="subscription_id",
    ),
    Case(
        "rights-none", "rights-missing", "resource groups or Kubernetes clusters", lambda w: w.may(READER),
        field="subscription_id",
    ),
    Case(
        "rights-cluster", "rights-missing", "may not make a cluster in",
        lambda w: w.may_not("Microsoft.ContainerService/managedClusters/write"), field="subscription_id",
    ),
    Case(
        "rights-credentials", "rights-missing", "may not sign in to the cluster",
        lambda w: w.may_not("Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action"),
        field="subscription_id",
    ),
    Case(
        "rights-delete", "rights-missing", "may not delete a resource group",
        lambda w: w.may_not("Microsoft.Resources/subscriptions/resourceGroups/delete"), field="subscription_id",
    ),
    Case(
        "rights-roles", "rights-missing", "let the cluster read the registry", lambda w: w.may(CONTRIBUTOR), asked=ACR,
        secrets={}, field="subscription_id",
    ),
    Case(
        "provider-refused", "provider-not-registered", "has not switched on Microsoft.ContainerService, and Slipway",
        all_of(lambda w: w.lacks("Microsoft.ContainerService"), lambda w: w.may_not("*/register/action")),
        field="subscription_id",
    ),
    Case(
        "policy-location", "policy-denies", "“Only Europe” of test does not allow what a hub is made of",
        lambda w: w.denies("Only Europe", allowed_locations=["westeurope"]), field="region",
    ),
    Case(
        "policy-type", "policy-denies", "“No public addresses” of test does not allow a public address like this",
        lambda w: w.denies("No public addresses", types=["Microsoft.Network/publicIPAddresses"]), field="region",
    ),
    Case(
        "policy-tag", "policy-denies", "“Cost centre for all” of test does not allow",
        lambda w: w.denies("Cost centre for all", required_tag="cost-centre"), field="region",
    ),
    Case(
        "policy-size", "policy-denies-size", "“Small machines only” of test does not allow machines of the size",
        lambda w: w.denies("Small machines only", types=[MACHINES_TYPE], allowed_sizes=["Standard_B2s"]),
        field="node_size",
    ),
    Case(
        "policies-unseen", "not-looked", "could not look at policies",
        lambda w: w.may_not("Microsoft.PolicyInsights/*"), severity="warning",
    ),
)  # fmt: skip

#: The portal's own sign-in, which somebody let run out or mistyped.
SIGN_IN = (
    Case(
        "portal-secret", "AADSTS7000215", "does not accept the portal's client secret",
        taken=lambda w, _names: w.sign_in_with(AZURE_CLIENT_SECRET="no-longer"),
    ),
    Case(
        "portal-client", "AADSTS700016", "does not know the portal's application",
        taken=lambda w, _names: w.sign_in_with(AZURE_CLIENT_ID="5117a000-0000-4000-8000-00000000dead"),
    ),
    Case(
        "portal-tenant", "AADSTS90002", "does not know the portal's application",
        taken=lambda w, _names: w.sign_in_with(AZURE_TENANT_ID="5117a000-0000-4000-8000-00000000dead"),
    ),
)  # fmt: skip

#: What there is not enough of, or not of this kind.
MACHINES = (
    Case(
        "quota-region", "quota", "needs 2 cores; of “Total Regional vCPUs” only 1 are left", lambda w: w.has_cores(1),
        field="node_count",
    ),
    Case(
        "quota-family", "quota-family", "of “Standard DSv5 Family vCPUs” only 1 are left",
        lambda w: w.has_cores(1, "standardDSv5Family"), field="node_count",
    ),
    Case(
        "quota-trial", "quota", "needs 6 cores; of “Total Regional vCPUs” only 4 are left",
        all_of(World.is_a_trial, lambda w: w.has("Microsoft.ContainerService")), asked={"node_count": 3},
        field="node_count",
    ),
    Case(
        "quota-sessions", "quota", "needs 74 cores; of “Total Regional vCPUs” only 40 are left",
        lambda w: w.has_cores(40), asked=POOL, typed=POOL | {"pools": "two"}, field="node_count",
    ),
    Case(
        "quota-surge", "quota-surge", "an upgrade needs 2 for a spare node", lambda w: w.has_cores(3),
        severity="warning", field="node_count",
    ),
    Case(
        "addresses", "addresses", "needs 2 public addresses",
        lambda w: w.has_cores(1, "PublicIPAddresses"), field="region",
    ),
    Case(
        "size-closed", "size-restricted", "Azure has closed Standard_NC4as_T4_v3 in UK West",
        lambda w: w.has_cores(100, "Standard NCASv3_T4 Family"),
        asked={"node_size": "Standard_NC4as_T4_v3", "region": "ukwest"}, field="node_size",
    ),
    Case(
        "size-unknown", "size-not-offered", "does not offer Standard_Nonsense", asked={"node_size": "Standard_Nonsense"}
    ),
    Case("version-gone", "version-not-offered", "Kubernetes 1.19.1", asked={"kubernetes_version": "1.19.1"}),
    Case(
        "version-preview", "version-preview", "Kubernetes 1.36.0 is only a preview",
        asked={"kubernetes_version": "1.36.0"}, field="kubernetes_version",
    ),
    Case(
        "version-long-term", "version-long-term", "1.30.14 is only for clusters with paid long-term support",
        asked={"kubernetes_version": "1.30.14"}, field="kubernetes_version",
    ),
    Case("tier-free", "tier-free", "fewer than 10 nodes", asked={"node_count": 10}, severity="warning", field="tier"),
)  # fmt: skip

#: Names that are not names, or that somebody has.
NAMES = (
    Case(
        "name-reserved", "name-refused", "does not allow the word “azure”", asked={"name": "azure-course"},
        field="name", at_field="does not allow the word “azure”",
    ),
    Case(
        "name-kept", "name-refused", "Kubernetes keeps the name", asked={"name": "kube-system"},
        field="name", at_field="Kubernetes keeps the name",
    ),
    Case(
        "name-shape", "name-refused", "small letters, digits and hyphens", asked={"name": "My Course"},
        field="name", at_field="small letters, digits and hyphens",
    ),
    Case("group-taken", "group-taken", "exists already and is not ours", taken=World.group_is_taken),
    Case("label-taken", "dns-label-taken", "is in use in UK South", taken=World.label_is_taken),
    Case(
        "registry-taken", "registry-name-taken", "container registry called", taken=World.registry_is_taken, asked=ACR,
        secrets={}, state=lambda w: w.may({"actions": ["*"]}),
    ),
)  # fmt: skip

#: The vault that the operator gives the portal.
VAULT = (
    Case("vault-refused", "vault-refused", "may not read this hub's secrets", lambda w: w.vault_allows("set", "list")),
    Case("vault-deleted", "vault-deleted", "The vault slipway-portal was deleted", taken=World.delete_vault),
    Case("secret-gone", "secret-missing", "is not in the vault any more", taken=World.secret_is_purged),
)

#: Where images go.
REGISTRY = (
    Case(
        "docker-token", "registry-sign-in", "Docker Hub does not accept this username with this token",
        secrets={services.DOCKER_TOKEN: "dckr_pat_wrong"}, typed={"docker_token": "dckr_pat_wrong"},
        field="docker_token",
    ),
    Case(
        "docker-email", "registry-sign-in", "does not accept this username",
        asked={"docker_username": "me@example.org"}, field="docker_username", at_field="This is an e-mail address",
    ),
    Case(
        "docker-member", "registry-not-a-member", "may not store images in the organisation biglab",
        asked={"docker_organisation": "biglab"}, field="docker_organisation",
    ),
    Case(
        "docker-read-only", "registry-no-push", "the token may not store images",
        lambda w: w.docker_account("readeronly", read_only=True), asked={"docker_username": "readeronly"},
        field="docker_token",
    ),
    Case(
        "docker-pulls", "pull-limit", "lets this account fetch 3 more images",
        all_of(lambda w: w.docker_account("busyperson"), lambda w: w.docker_pulls_left("busyperson", 3)),
        asked={"docker_username": "busyperson"}, severity="warning", field="registry",
    ),
    Case(
        "registry-sign-in", "registry-sign-in", "does not accept this username with this token", asked=university,
        typed=with_token("wrong", university), secrets={services.DOCKER_TOKEN: "wrong"}, field="registry_token",
    ),
    Case(
        "registry-project", "registry-no-push", "may not store images there",
        asked=lambda w: university(w, registry_project="elsewhere"),
        typed=with_token("registry-demo-token", lambda w: university(w, registry_project="elsewhere")),
        secrets={services.DOCKER_TOKEN: "registry-demo-token"}, field="registry_token",
    ),
    Case(
        "registry-other-site", "registry-not-one", "is not a container registry",
        asked=some_website, typed=with_token("registry-demo-token", some_website),
        secrets={services.DOCKER_TOKEN: "registry-demo-token"}, field="registry_address",
    ),
)  # fmt: skip

#: Who may use it.
PEOPLE = (
    Case(
        "github-client", "github-client-unknown", "knows no app with the client ID Ov23liNobody",
        asked=GITHUB | {"github_client_id": "Ov23liNobody0000001"}, secrets=SIGNED_IN,
        typed=GITHUB_TYPED | {"github_client_id": "Ov23liNobody0000001"}, field="github_client_id",
    ),
    Case(
        "github-secret", "github-secret-wrong", "does not accept this client secret", asked=GITHUB,
        secrets=SIGNED_IN | {services.GITHUB_SECRET: "wrong"}, typed=GITHUB_TYPED | {"github_secret": "wrong"},
        field="github_secret",
    ),
    Case(
        "github-callback", "github-callback", "has another callback address",
        lambda w: w.github_app("Ov23liElsewhere0001", "https://elsewhere.example.org/hub/oauth_callback"),
        asked=GITHUB | {"github_client_id": "Ov23liElsewhere0001"}, secrets=SIGNED_IN,
        typed=GITHUB_TYPED | {"github_client_id": "Ov23liElsewhere0001"}, field="github_client_id",
    ),
    Case(
        "github-nobody", "nobody-gets-in", "nobody could sign in", asked=GITHUB | {"github_organisations": ()},
        secrets=SIGNED_IN, typed=GITHUB_TYPED | {"github_organisations": ""}, field="github_organisations",
        at_field="with none, nobody could sign in",
    ),
    Case(
        "github-organisation", "github-organisation-unknown", "knows no organisation called slipwayogr",
        asked=GITHUB | {"github_organisations": ("slipwayogr",)}, secrets=SIGNED_IN,
        typed=GITHUB_TYPED | {"github_organisations": "slipwayogr"}, field="github_organisations",
    ),
    Case(
        "private-token", "private-token-refused", "is not accepted by GitHub",
        asked=GITHUB | {"private_repositories": True}, secrets=SIGNED_IN | {services.PRIVATE_TOKEN: "ghp_nobody"},
        typed=GITHUB_TYPED | {"private_repositories": "on", "private_token": "ghp_nobody"}, field="private_token",
    ),
    Case(
        "private-public", "private-and-public", "anyone with the link could read",
        asked={"private_repositories": True}, typed={"private_repositories": "on", "private_token": "ghp_nobody"},
        secrets={services.DOCKER_TOKEN: "dckr_pat_demo", services.PRIVATE_TOKEN: "ghp_nobody"}, field="private_token",
    ),
    Case(
        "storage-public", "storage-needs-sign-in", "people must sign in to have one", asked={"storage_gib": 5},
        field="storage_gib",
    ),
)  # fmt: skip

#: What is put on top.
LOOK = (
    Case(
        "template-missing", "template-missing", "There is no public Git repository",
        asked=lambda w: {"template_repository": f"{w.github}/nobody/nothing"}, field="template_repository",
    ),
    Case(
        "template-branch", "template-branch", "has no branch called nowhere",
        asked=lambda w: {
            "template_repository": f"{w.github}/binder-examples/requirements", "template_branch": "nowhere"
        }, field="template_branch",
    ),
    Case(
        "values-indentation", "overlay", "Line 3", asked={"overlay": "jupyterhub:\n  singleuser:\n cmd: x\n"},
        field="overlay", at_field="Line 3",
    ),
    Case(
        "values-unknown", "overlay", "singleusr", asked={"overlay": "jupyterhub:\n  singleusr: {}\n"},
        field="overlay", at_field="Line 2, column 3",
    ),
    Case(
        "values-ours", "overlay", "Slipway", asked={"overlay": "imageBuilderType: host\n"},
        field="overlay", at_field="Line 1, column 1",
    ),
    Case("chart-missing", "chart-version", "does not have BinderHub 0.0.0-none", asked={"chart_version": "0.0.0-none"}),
    Case(
        "stay-past", "stay-past", "last day is not in the future", asked={"keep_until": PAST},
        typed={"keep_until": PAST.isoformat()}, field="keep_until", at_field="Choose a day in the future",
    ),
    Case(
        "stay-too-long", "stay-too-long", "You may keep a hub for 10 days at most; this is 30",
        taken=lambda w, _names: w.lets_hubs_stay(10), asked={"keep_until": timezone.localdate() + timedelta(days=30)},
        typed={"keep_until": (timezone.localdate() + timedelta(days=300)).isoformat()}, field="keep_until",
        at_field="You may keep a hub for 90 days at most",
    ),
)  # fmt: skip

CASES = (*AZURE, *SIGN_IN, *MACHINES, *NAMES, *VAULT, *REGISTRY, *PEOPLE, *LOOK)
