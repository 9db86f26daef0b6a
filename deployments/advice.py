"""What is said beside a form while it is filled in: the findings about the hub that it describes so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django import forms

from deployments import naming
from deployments.forms import SpecForm
from deployments.preflight import Facts, Finding, findings

#: Said in the form itself, where the choice is made.
SAID_THERE = frozenset({"public-hub", "private-repositories"})


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
    spec = form.sketch()
    names = form.names or naming.derive("a-hub", form.draft_id)
    mistyped = _mistyped(form)
    wrong = {finding.field for finding in mistyped} | set(form.errors)
    found = [*mistyped, *(each for each in findings(Facts(), spec, names) if each.field not in wrong)]
    about = fields or form.fields
    said = [_said(form, finding) for finding in found if finding.field in about and _is_due(form, finding)]
    return sorted(said, key=lambda each: each.severity != "error")


def _mistyped(form: SpecForm) -> list[Finding]:
    """What the form itself does not take, of what has been typed. Where it says so at the field, that is enough."""
    if form.is_bound:
        return []
    errors = {name: told for name, told in form.twin.errors.items() if name in form.fields and form[name].value()}
    return [Finding("error", "mistyped", " ".join(map(str, told)), "", name) for name, told in errors.items()]


def _is_due(form: SpecForm, finding: Finding) -> bool:
    """What nobody has typed yet is not wrong yet."""
    return finding.code not in SAID_THERE and (finding.severity == "warning" or bool(form[finding.field].value()))


def _said(form: SpecForm, finding: Finding) -> Said:
    field = form[finding.field] if finding.field in form.fields else None
    anchor = ""
    if field is not None:
        radio = isinstance(field.field.widget, forms.RadioSelect)
        anchor = f"#field_{field.html_name}" if radio else f"#{field.auto_id}"
    label = str(field.label) if field is not None else ""
    return Said(finding.severity, finding.what, finding.remedy, finding.letter, label, anchor)
