"""Sends a form on its way; what is refused comes back as errors beside the right fields."""

from __future__ import annotations

from cloud.errors import InvalidRequest, PermissionDenied, SignInFailed, SlipwayError
from deployments import naming, outside, services
from deployments.forms import RequestForm
from deployments.forms.change import ChangeForm
from deployments.forms.new_secrets import NewSecretsForm
from deployments.models import Deployment, SpecRevision
from deployments.services.changing import refuse_impossible
from deployments.spec import HubSpec
from deployments.values import oauth_callback

#: Where each refusal of the outside world belongs on the form.
DOCKER_FIELDS: dict[type[SlipwayError], str] = {SignInFailed: "docker_token", PermissionDenied: "docker_organisation"}
GITHUB_FIELDS: dict[type[SlipwayError], str] = {SignInFailed: "github_secret", InvalidRequest: "github_client_id"}


def submit(form: RequestForm) -> Deployment | None:
    """The requested hub, or None with the form's errors saying why there is none. A form sent twice makes one hub."""
    if earlier := _sent_before(form):
        return earlier
    if not form.is_valid():
        return None
    spec = form.spec()
    try:
        form.check_allowed(spec)
        if not (_docker_hub_agrees(form, spec) & _github_agrees(form, spec)):
            return None
        return services.request_hub(form.user, form.draft_id, spec, form.secrets())
    except SlipwayError as error:
        if twin := _sent_before(form):
            return twin
        form.add_error(None, told(error))
        return None


def may_become(form: ChangeForm) -> bool:
    """Whether a valid form describes a change that can be made and is allowed; if not, its errors say why."""
    spec = form.spec()
    try:
        if spec == form.present:
            raise InvalidRequest("Nothing would change: every field is as it was.")
        refuse_impossible(form.present, spec)
        form.check_allowed(spec)
    except SlipwayError as error:
        form.add_error(None, told(error))
        return False
    return True


def applied(form: ChangeForm, secrets: NewSecretsForm) -> SpecRevision | None:
    """The revision that a valid form makes, or None with errors that say why there is none."""
    if not secrets.is_valid():
        return None
    try:
        number = form.cleaned_data["number"]
        return services.change(form.user, form.hub, number, form.spec(), secrets.secrets())
    except SlipwayError as error:
        form.add_error(None, told(error))
        return None


def told(error: SlipwayError) -> str:
    """What happened and what to do, as one paragraph."""
    return f"{error.user_message} {error.remedy}".strip()


def _sent_before(form: RequestForm) -> Deployment | None:
    return Deployment.objects.filter(id=form.draft_id, owner=form.user).first()


def _docker_hub_agrees(form: RequestForm, spec: HubSpec) -> bool:
    from cloud.registries import check_docker_hub

    if spec.registry != "dockerhub":
        return True
    token = form.cleaned_data["docker_token"]
    try:
        check_docker_hub(outside.profile(), spec.docker_username, token, spec.image_namespace, spec.image_prefix)
    except SlipwayError as error:
        field = DOCKER_FIELDS.get(type(error))
        # Without an organisation it is the token that may not push.
        form.add_error("docker_token" if field and not spec.docker_organisation else field, told(error))
        return False
    return True


def _github_agrees(form: RequestForm, spec: HubSpec) -> bool:
    from cloud.github import check_oauth_app

    if not spec.signs_in:
        return True
    callback = oauth_callback(outside.hub_address(spec, naming.derive(spec.name, form.draft_id)))
    try:
        check_oauth_app(outside.profile(), spec.github_client_id, form.cleaned_data["github_secret"], callback)
    except SlipwayError as error:
        form.add_error(GITHUB_FIELDS.get(type(error)), told(error))
        return False
    return True
