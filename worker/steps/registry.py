"""A container registry of the hub's own in Azure: made, opened to the hub, removed again."""

from __future__ import annotations

from cloud.azure import registries, role_assignments
from cloud.azure.registries import Registry
from cloud.azure.role_assignments import ACR_PULL
from cloud.errors import NotYet, PermanentError
from deployments import services
from deployments.models import Deployment, Resource, SecretRef
from deployments.services import secrets as vaulted
from deployments.spec import HubSpec
from deployments.states import SecretState
from deployments.values.registry import ACR_USER
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps.group import group_id, not_ours
from worker.steps.leaving import OTHERS, left_alone

KIND, ROLE = "container registry", "role"
RENEWED = "renewed"


def registry_id(ctx: HubContext) -> str:
    return f"{group_id(ctx, ctx.names.group)}/providers/{registries.TYPE}/{ctx.names.registry}"


def find(ctx: HubContext) -> Registry | None:
    return registries.get_registry(ctx.az, ctx.subscription, ctx.names.group, ctx.names.registry)


class OfRegistry(Step[HubContext]):
    """Only hubs that keep their images in a registry of their own need it."""

    def concerns(self, spec: HubSpec) -> bool:
        return spec.registry == "acr"


class RegistryMade(OfRegistry):
    name, title, after, expected, deadline = "registry", "Container registry", ("group",), 15, 15 * 60

    def check(self, ctx: HubContext) -> Found:
        found = find(ctx)
        if found is None:
            return Found.absent()
        if not ctx.is_ours(found.tags):
            return Found.failed(not_ours(KIND, found.name))
        ctx.seen(KIND, registry_id(ctx), found.name)
        if found.state == "Succeeded":
            return Found.ready(found.login_server)
        if found.state in ("Failed", "Canceled"):
            return Found.drifted("the last try to make the registry failed")
        return Found.changing("Azure is making the registry")

    def apply(self, ctx: HubContext) -> None:
        names = ctx.names
        ctx.intend(KIND, registry_id(ctx), names.registry)
        registries.create_registry(ctx.az, ctx.subscription, names.group, names.registry, ctx.spec.region, names.tags)


class RegistryAccess(OfRegistry):
    """The nodes may pull by a role of their identity; the hub pushes with a token whose password only the vault has.

    A password is made in the slot that is not in use, so that a new one which does not work can be given up again.
    """

    name, title, after = "registry-access", "Access to the registry", ("registry", "cluster")
    expected, deadline = 10, 15 * 60

    def check(self, ctx: HubContext) -> Found:
        identity = self._identity(ctx)
        if not role_assignments.has_role(ctx.az, ctx.subscription, registry_id(ctx), ACR_PULL, identity):
            return Found.absent("the nodes may not read the registry yet")
        number = role_assignments.assignment_id(registry_id(ctx), ACR_PULL, identity)
        if Resource.objects.filter(deployment_id=ctx.deployment_id, kind=ROLE, cloud_id=number).exists():
            ctx.seen(ROLE, number, "AcrPull")
        if self._needs_password(ctx):
            return Found.absent("the hub has no password for the registry yet")
        return Found.ready("the nodes may pull, the hub may push")

    def apply(self, ctx: HubContext) -> None:
        identity, names = self._identity(ctx), ctx.names
        number = role_assignments.assignment_id(registry_id(ctx), ACR_PULL, identity)
        if not role_assignments.has_role(ctx.az, ctx.subscription, registry_id(ctx), ACR_PULL, identity):
            ctx.intend(ROLE, number, "AcrPull")
            role_assignments.assign_role(ctx.az, ctx.subscription, registry_id(ctx), ACR_PULL, identity)
        if not self._needs_password(ctx):
            return
        ctx.hold()
        place = (ctx.az, ctx.subscription, names.group, names.registry, ACR_USER)
        if not registries.ensure_token(*place):
            raise NotYet("Azure is making the token that the hub pushes with.", delay=1.0)
        self._keep(ctx, registries.generate_password(*place))

    def _identity(self, ctx: HubContext) -> str:
        cluster = ctx.cluster()
        if cluster is None:
            raise PermanentError("The cluster is gone.", "Take the hub down and request it anew.")
        if not cluster.node_identity:
            raise NotYet("Azure has not told the nodes' identity yet.", delay=2.0)
        return cluster.node_identity

    def _needs_password(self, ctx: HubContext) -> bool:
        asked = services.REGISTRY_TOKEN in ctx.operation.arguments.get("purposes", [])
        if asked and ctx.run.token != RENEWED:
            return True
        mine = SecretRef.objects.filter(deployment_id=ctx.deployment_id, purpose=services.REGISTRY_TOKEN)
        return not mine.filter(state=SecretState.STORED).exists()

    def _keep(self, ctx: HubContext, password: str) -> None:
        """Puts the password into the vault. One that a crash loses on the way opens nothing once the next is made."""
        deployment = Deployment.objects.get(id=ctx.deployment_id)
        user = ctx.operation.requested_by or deployment.owner
        values = {services.REGISTRY_TOKEN: password}
        vaulted.note_places(deployment, user, values)
        vaulted.store(deployment, user, values)
        ctx.cache.pop("secrets", None)
        ctx.keep_token(RENEWED)


class RegistryGone(OfRegistry):
    """The role first, then the registry with all its images."""

    name, title, expected, deadline = "registry", "Delete the container registry", 15, 30 * 60
    after: tuple[str, ...] = ("uninstall",)

    def check(self, ctx: HubContext) -> Found:
        found = find(ctx)
        if found is None:
            for kind in (KIND, ROLE):
                ctx.gone(kind)
            return Found.ready("gone")
        if not ctx.is_ours(found.tags):
            return left_alone(ctx, KIND, found.name, OTHERS)
        if found.state == "Deleting":
            return Found.changing("Azure is deleting it")
        return Found.drifted()

    def apply(self, ctx: HubContext) -> None:
        found = find(ctx)
        if found is None or not ctx.is_ours(found.tags):
            return
        for row in Resource.objects.filter(deployment_id=ctx.deployment_id, kind=ROLE, gone_at=None):
            ctx.hold()
            role_assignments.remove_assignment(ctx.az, ctx.subscription, row.cloud_id)
        ctx.hold()
        registries.delete_registry(ctx.az, ctx.subscription, ctx.names.group, ctx.names.registry)
