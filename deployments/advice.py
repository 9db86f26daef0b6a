"""What is said beside a form while it is filled in: the findings about the hub that it describes so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django import forms

from cloud.errors import SlipwayError
from deployments import naming
from deployments.forms import SECRETS, SpecForm
from deployments.naming import Names
from deployments.preflight import Facts, Finding, findings
from deployments.spec import HubSpec

#: Said in the form itself, where the choice is made.
SAID_THERE = frozenset({"public-hub", "private-repositories"})
#: What is wrong with these is said at the field while one types.
LIVE_FIELDS = frozenset({"name", "overlay"})


@dataclass(frozen=True)
class Said:
    """A finding with the field it is about, as the page calls it."""

    severity: str
    what: str
    remedy: str
    letter: str
    label: str
    anchor: str


def advice(form: SpecForm, secrets: Mapping[str, str] | None = None, fields: Sequence[str] = ()) -> list[Said]:
    """What stands in the way of the hub so far; of these fields only, where some are named. Errors come first."""
    spec, wrong = form.sketch(), set(form.twin.errors)
    found = [each for each in findings(Facts(), spec, _names(form)) if each.field not in wrong]
    said = [
        _said(form, finding)
        for finding in (*_mistyped(form), *found, *_not_allowed(form, spec))
        if _is_due(form, finding) and (not fields or finding.field in fields)
    ]
    return sorted(said, key=lambda each: each.severity != "error")


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
    """What nobody has typed yet is not wrong yet; what nobody can change here is not said."""
    field = form.fields.get(finding.field)
    if finding.code in SAID_THERE or (field and field.disabled):
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
    return Said(finding.severity, finding.what, finding.remedy, finding.letter, label, anchor)
