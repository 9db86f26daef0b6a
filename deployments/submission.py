"""Sends a form on its way; what is refused comes back as errors beside the right fields."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms

from cloud.errors import InvalidRequest, SlipwayError
from deployments import services
from deployments.advice import found, look
from deployments.forms import RequestForm, SpecForm
from deployments.forms.change import ChangeForm
from deployments.forms.new_secrets import NewSecretsForm
from deployments.models import Deployment, SpecRevision
from deployments.services.changing import refuse_impossible
from deployments.spec import HubSpec

#: Warnings while one types; a form is only taken when these sign-ins were tried.
UNTRIED = frozenset({"registry-unreachable", "github-unreachable"})
UNTRIED_REMEDY = "Send the form again in a few minutes."


def submit(form: RequestForm) -> Deployment | None:
    """The requested hub, or None with the form's errors saying why there is none. A form sent twice makes one hub."""
    if earlier := _sent_before(form):
        return earlier
    if not form.is_valid():
        _say_what_else_is_wrong(form)
        return None
    spec = form.spec()
    free = _is_allowed(form, spec)
    if not _nothing_stands_in_the_way(form, form.secrets()) or not free:
        return None
    try:
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
    except SlipwayError as error:
        form.add_error(None, told(error))
        return False
    free = _is_allowed(form, spec)
    return _nothing_stands_in_the_way(form, {}) and free


def applied(form: ChangeForm, secrets: NewSecretsForm) -> SpecRevision | None:
    """The revision that a valid form makes, or None with errors that say why there is none."""
    if not secrets.is_valid():
        return None
    try:
        if not _nothing_stands_in_the_way(form, secrets.secrets(), secrets):
            return None
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


def _say_what_else_is_wrong(form: SpecForm) -> None:
    """Beside what was mistyped, what would stand in the way all the same: everything is to be mended at once."""
    mistyped = set(form.errors)
    for finding in found(form, look(form)):
        field = form.fields.get(finding.field)
        if finding.severity == "error" and field and not field.disabled and finding.field not in mistyped:
            form.add_error(finding.field, f"{finding.what} {finding.remedy}".strip())


def _is_allowed(form: SpecForm, spec: HubSpec) -> bool:
    """Whether the person's groups allow such a hub; if not, the form says so."""
    try:
        form.check_allowed(spec)
    except SlipwayError as error:
        form.add_error(None, told(error))
        return False
    return True


def _nothing_stands_in_the_way(form: SpecForm, secrets: Mapping[str, str], beside: forms.Form | None = None) -> bool:
    """Tries everything that can be tried now. What blocks stands beside its field, here or in the form `beside`."""
    free = True
    for finding in found(form, look(form, secrets)):
        field = form.fields.get(finding.field)
        fixed = field is not None and field.disabled
        if (finding.severity == "warning" and finding.code not in UNTRIED) or (fixed and not finding.letter):
            continue
        sentence = UNTRIED_REMEDY if finding.code in UNTRIED else finding.remedy
        where = next((each for each in (form, beside) if each and finding.field in each.fields and not fixed), None)
        place = finding.field if where and finding.code not in UNTRIED else None
        (where or form).add_error(place, f"{finding.what} {sentence}".strip())
        free = False
    return free
