"""How the hub looks, how much each person may have, and what only experts set."""

from __future__ import annotations

from django import forms

from deployments.forms import rules
from deployments.forms.controls import TYPED_EXACTLY, SeveralField, WordField, whole
from deployments.values.overlay import LONGEST


class LookFields(forms.Form):
    """Texts, and templates of one's own."""

    title = forms.CharField(
        label="Title",
        help_text="Optional. What the browser's tab and shared links say instead of Binder.",
        required=False,
        max_length=100,
    )
    banner = forms.CharField(
        label="Banner",
        help_text="Optional. A sentence at the top of the hub's page, for example whom to ask for help.",
        required=False,
        max_length=300,
    )
    template_repository = WordField(
        "Template repository",
        "Optional. A public Git repository with your own logo and pages: a folder templates, and a folder static.",
        rule=rules.template_repository,
        required=False,
        max_length=300,
        attrs={"placeholder": "https://github.com/example/our-binder"},
    )
    template_branch = WordField(
        "Template branch",
        "Optional. Without one, the branch that the repository has as its default.",
        rule=rules.branch,
        required=False,
        max_length=200,
    )


class LimitFields(forms.Form):
    """What one session, and all together, may take."""

    user_memory_gib = forms.FloatField(
        label="Memory for each session, in GB",
        help_text="Optional. A session that wants more is stopped. Half of it is kept free for each.",
        min_value=0.25,
        max_value=256,
        required=False,
    )
    user_cpus = forms.FloatField(
        label="CPUs for each session",
        help_text="Optional. A session gets at most so many; a quarter of it is kept free for each.",
        min_value=0.1,
        max_value=64,
        required=False,
    )
    idle_minutes = whole(
        "Stop after so many idle minutes",
        "Optional. A session in which nothing happens for so long is stopped. Without a number it is about 10 minutes.",
        5,
        1440,
        required=False,
    )
    most_sessions = whole(
        "Most sessions at a time",
        "Optional. Who comes later is told to try again.",
        1,
        1000,
        required=False,
    )
    allowed_repositories = SeveralField(
        "Only these repositories",
        "Optional. owner/name, or owner/* for all of an owner; one a line. With any here, no others can be opened.",
        rule=rules.repository,
        tidy=rules.tidy_repository,
        max_length=5000,
    )
    banned_repositories = SeveralField(
        "Never these repositories",
        "Optional. Written the same way; these cannot be opened.",
        rule=rules.repository,
        tidy=rules.tidy_repository,
        max_length=5000,
    )


class ExpertFields(forms.Form):
    """Values that are laid over what Slipway renders."""

    overlay = forms.CharField(
        label="Expert values",
        help_text="YAML for the BinderHub chart, laid over what Slipway sets. Leave it empty unless you know that"
        " chart. Never write passwords here: whoever may see the hub may read it.",
        widget=forms.Textarea(attrs={"rows": 10, "class": "code", **TYPED_EXACTLY}),
        required=False,
        strip=False,
        max_length=LONGEST,
    )
