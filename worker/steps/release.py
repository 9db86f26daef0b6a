"""BinderHub itself: its ingredients, its namespace, its Helm release."""

from __future__ import annotations

from collections.abc import Callable

from cloud import any_registry
from cloud.errors import (
    Conflict,
    InvalidRequest,
    NotYet,
    PermissionDenied,
    SignInFailed,
    SlipwayError,
    Unavailable,
)
from cloud.helm import Release as HelmRelease
from cloud.registries import check_docker_hub
from cloud.repositories import github_token
from deployments import outside, services
from deployments.diagnosis import Symptoms, explain
from deployments.models import Resource
from deployments.naming import OWNER_TAG
from deployments.values.registry import image_prefix, username
from worker.hub import HubContext
from worker.step import Found, Step
from worker.steps.cluster import InCluster, cluster_id
from worker.steps.group import not_ours
from worker.steps.sign_in import check_app

#: How a registry's answer to a try ends or delays a run.
REFUSALS: dict[str, Callable[[str], SlipwayError]] = {
    "sign-in-refused": lambda host: SignInFailed(
        f"{host} does not accept the hub's sign-in.", "Give a new token on the hub's page, then try again."
    ),
    "push-refused": lambda host: PermissionDenied(
        f"{host} knows this account, but the token may not store images there.",
        "Let it read and write there, or give another token, then try again.",
    ),
    # It was one when the form was sent: most likely something stands in between.
    "not-a-registry": lambda host: Unavailable(
        f"What answers at {host} is not a container registry just now; is its address right?",
        "It is tried again by itself.",
    ),
    "bad-certificate": lambda host: InvalidRequest(
        f"The certificate of {host} is not one that the hub's machines would trust.",
        "Ask whoever runs the registry for a certificate of a public authority.",
    ),
    "unreachable": lambda host: Unavailable(f"{host} did not answer.", "It is tried again by itself."),
}
CHART = "binderhub"
KIND, NAMESPACE = "release", "namespace"


class Ingredients(Step[HubContext]):
    """What the release will need, fetched and tried while Azure makes the cluster."""

    name, title, expected, deadline = "ingredients", "Sign-ins and chart", 5, 900
    after, doubts = ("preflight", "registry-access"), True

    def check(self, ctx: HubContext) -> Found:
        spec, profile = ctx.spec, ctx.profile
        who = self._signed_in(ctx)
        if spec.signs_in:
            check_app(ctx)
        if spec.private_repositories:
            self._try_private_token(ctx)
        ctx.helm.chart(CHART, profile.chart_repository, spec.chart_version, profile.chart_ca_bundle)
        return Found.ready(f"signed in as {who}; chart {CHART} {spec.chart_version} is here")

    def _signed_in(self, ctx: HubContext) -> str:
        """Tries the sign-in and a push; whom the registry knows us as."""
        spec, names = ctx.spec, ctx.names
        if spec.registry == "dockerhub":
            token = ctx.secret(services.DOCKER_TOKEN)
            check_docker_hub(ctx.profile, spec.docker_username, token, spec.image_namespace, spec.image_prefix)
            return spec.docker_username
        host = outside.registry_host(spec, names)
        repository = f"{image_prefix(spec, names, host).removeprefix(f'{host}/')}probe"
        place = any_registry.Place(host, repository, spec.registry_token_url)
        token = ctx.secret(services.REGISTRY_TOKEN if spec.registry == "acr" else services.DOCKER_TOKEN)
        if error := REFUSALS.get(any_registry.try_push(ctx.profile, place, username(spec), token)):
            raise error(host)
        return f"{username(spec)} at {host}"

    @staticmethod
    def _try_private_token(ctx: HubContext) -> None:
        state = github_token(ctx.profile, ctx.secret(services.PRIVATE_TOKEN))
        if state == "unreachable":
            raise Unavailable("GitHub did not answer.", "It is tried again by itself.")
        if state != "ok":
            raise SignInFailed(
                "GitHub does not accept the token for private repositories.",
                "Make a new one on GitHub, give it on the hub's page, then try again.",
            )


class Namespace(InCluster):
    """The hub's own room in the cluster, labelled as ours."""

    name, title, after, expected, deadline = "namespace", "Namespace", ("cluster", "start"), 2, 300

    def look(self, ctx: HubContext) -> Found:
        namespace = ctx.kubernetes().namespace(ctx.names.namespace)
        if namespace is None:
            return Found.absent()
        if not ctx.is_ours(namespace.labels):
            return Found.failed(not_ours(NAMESPACE, namespace.name))
        if namespace.phase == "Terminating":
            return Found.changing("an earlier namespace is still being deleted")
        ctx.seen(NAMESPACE, self.cloud_id(ctx), namespace.name)
        return Found.ready(namespace.name)

    def apply(self, ctx: HubContext) -> None:
        ctx.intend(NAMESPACE, self.cloud_id(ctx), ctx.names.namespace)
        try:
            ctx.kubernetes().create_namespace(ctx.names.namespace, {OWNER_TAG: ctx.names.owner})
        except Conflict:
            ctx.log("The namespace is there already.")

    @staticmethod
    def cloud_id(ctx: HubContext) -> str:
        return f"{cluster_id(ctx)}/namespaces/{ctx.names.namespace}"


class Release(InCluster):
    """One pass of real Helm; waiting for the pods is another step's work."""

    name, title, expected, deadline = "release", "Install BinderHub with Helm", 10, 15 * 60
    after = ("nodes", "namespace", "ingredients", "domain")
    heavy = True

    def look(self, ctx: HubContext) -> Found:
        done: HelmRelease | None = ctx.cache.get("release")
        if done is None:
            done = self._installed(ctx)
        if done is None:
            return Found.absent()
        if done.pending:
            raise NotYet("Helm is still at work on this hub.", delay=1.0)
        if done.status != "deployed":
            return Found.drifted(f"the release is {done.status}")
        ctx.seen(KIND, release_id(ctx), done.name)
        return Found.ready(f"{done.chart}, revision {done.revision}")

    def _installed(self, ctx: HubContext) -> HelmRelease | None:
        """The release if it is what the description asks for; None when it is absent, or to be installed over."""
        if not Resource.objects.filter(deployment_id=ctx.deployment_id, kind=KIND).exists():
            return None  # nobody has ever tried: spare Helm the look
        names = ctx.names
        found = ctx.helm.release(ctx.kubeconfig(), names.release, names.namespace)
        if found is None or found.status != "deployed":
            return None
        same = (
            is_chart(found, ctx.spec.chart_version)
            and ctx.helm.values(ctx.kubeconfig(), names.release, names.namespace) == ctx.values()
        )
        return found if same else None

    def explain(self, ctx: HubContext, error: SlipwayError) -> SlipwayError:
        """What Helm's own words mean, where a rule knows them; what else goes on inside has nothing to do with it."""
        return explain(Symptoms(failure=error.user_message)) or error

    def apply(self, ctx: HubContext) -> None:
        ctx.hub_secrets()  # read before anything is announced: the vault may refuse
        ctx.intend(KIND, release_id(ctx), ctx.names.release)
        ctx.cache["release"] = install(ctx)


def install(ctx: HubContext) -> HelmRelease:
    """One pass of Helm: brings the release to the context's description, and returns without waiting for pods."""
    return ctx.helm.upgrade_install(
        ctx.kubeconfig(),
        ctx.names.release,
        ctx.names.namespace,
        CHART,
        ctx.profile.chart_repository,
        ctx.spec.chart_version,
        ctx.values(),
        ca_file=ctx.profile.chart_ca_bundle,
        on_lines=ctx.log_lines,
    )


def is_chart(found: HelmRelease, version: str) -> bool:
    """Whether the release is of this chart version; what stands behind a plus sign marks a build, not a version."""
    return found.chart.partition("+")[0] == f"{CHART}-{version.partition('+')[0]}"


def release_id(ctx: HubContext) -> str:
    return f"{cluster_id(ctx)}/namespaces/{ctx.names.namespace}/releases/{ctx.names.release}"
