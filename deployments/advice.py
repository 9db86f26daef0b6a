"""What is said beside a form while it is filled in: the findings about the hub that it describes so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django import forms

from cloud.errors import SlipwayError
from deployments import looking, naming
from deployments.forms import SECRETS, SpecForm
from deployments.naming import Names
from deployments.preflight import Facts, Finding, cores_of, findings
from deployments.spec import HubSpec

#: Said in the form itself, where the choice is made.
SAID_THERE = frozenset({"public-hub", "private-repositories"})
#: What is wrong with these is said at the field while one types.
LIVE_FIELDS = frozenset({"name", "overlay"})


@dataclass(frozen=True)
class Said:
    """A finding with the field it is about, as the page calls it."""

    code: str
    severity: str
    what: str
    remedy: str
    letter: str
    label: str
    anchor: str


def look(form: SpecForm, secrets: Mapping[str, str] | None = None) -> Facts:
    """What can be found out at once about the hub that a form describes so far; these secrets are tried."""
    seen = looking.quick(form.sketch(), _names(form), secrets or {}, user=form.user)
    if form.stands is None:
        return seen
    # The nodes that come and go count as if all were there: the run looks at what really is.
    own = cores_of(form.stands, seen.sizes or {})
    return replace(seen, own_cluster_exists=True, own_version=form.stands.kubernetes_version, own_cores=own)


def found(form: SpecForm, seen: Facts) -> list[Finding]:
    """What stands in the way, after a look."""
    return findings(seen, form.sketch(), _names(form))


def advice(form: SpecForm, seen: Facts, fields: Sequence[str] = ()) -> list[Said]:
    """What to say beside the form after a look; of these fields only, where some are named. Errors come first."""
    wrong = set(form.twin.errors) - set(SECRETS)
    told = [each for each in found(form, seen) if each.field not in wrong]
    said = [
        _said(form, finding)
        for finding in (*_mistyped(form), *told, *_not_allowed(form, form.sketch()))
        if _is_due(form, finding) and (not fields or finding.field in fields)
    ]
    return sorted(said, key=lambda each: each.severity != "error")


def works(seen: Facts, section: str) -> bool:
    """Whether the sign-in of a section of the form was tried and works."""
    tried = {
        "registry": seen.registry and seen.registry.state,
        "people": seen.github_app,
        "private": seen.private_token,
    }
    return tried.get(section) == "ok"


def _names(form: SpecForm) -> Names:
    return form.names or naming.derive("a-hub", form.draft_id)


def _mistyped(form: SpecForm) -> list[Finding]:
    """What the form itself does not take, of what has been typed, unless it is said at the field."""
    if form.is_bound:
        return []
    errors = {name: told for name, told in form.twin.errors.items() if name in form.fields and form[name].value()}
    return [
        Finding("error", "mistyped", " ".join(map(str, told)), "", name)
        for name, told in errors.items()
        if name not in LIVE_FIELDS
    ]


def _not_allowed(form: SpecForm, spec: HubSpec) -> list[Finding]:
    """What the person's groups do not allow."""
    try:
        form.check_allowed(spec)
    except SlipwayError as error:
        return [Finding("error", "policy", error.user_message, error.remedy)]
    return []


def _is_due(form: SpecForm, finding: Finding) -> bool:
    """What nobody has typed yet is not wrong yet; what nobody can change here is said where somebody else can."""
    field = form.fields.get(finding.field)
    if finding.code in SAID_THERE or (field and field.disabled and not finding.letter):
        return False
    given = field is None or finding.field in SECRETS or bool(form[finding.field].value())
    return given or finding.severity == "warning"


def _said(form: SpecForm, finding: Finding) -> Said:
    field = form[finding.field] if finding.field in form.fields else None
    anchor = ""
    if field is not None:
        radio = isinstance(field.field.widget, forms.RadioSelect)
        anchor = f"#field_{field.html_name}" if radio else f"#{field.auto_id}"
    label = str(field.label) if field is not None else ""
    return Said(finding.code, finding.severity, finding.what, finding.remedy, finding.letter, label, anchor)
