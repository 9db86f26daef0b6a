"""What people type. The forms know their fields and those fields' plain rules; decisions are in services."""

from deployments.forms.answers import FilterForm, RejectForm, TearDownForm
from deployments.forms.drafts import DRAFT_SALT, new_draft, read_draft
from deployments.forms.request import RequestForm, typed_secrets, without_secrets
from deployments.forms.sections import CHECKED, FOLDED, SECRETS
from deployments.forms.spec_form import SpecForm

__all__ = [
    "CHECKED",
    "DRAFT_SALT",
    "FOLDED",
    "SECRETS",
    "FilterForm",
    "RejectForm",
    "RequestForm",
    "SpecForm",
    "TearDownForm",
    "new_draft",
    "read_draft",
    "typed_secrets",
    "without_secrets",
]
