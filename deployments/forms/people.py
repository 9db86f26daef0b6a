"""Who may use the hub, and what those who do get."""

from __future__ import annotations

from django import forms

from deployments.forms import rules
from deployments.forms.controls import SeveralField, WordField, radios, secret, whole

MOST_STORAGE = 100  # GiB a person


class PeopleFields(forms.Form):
    """Nobody has to sign in, or everybody does with GitHub."""

    access = radios(
        "Who may use it?",
        "With a GitHub sign-in you decide who gets in, and people may have a folder that survives.",
        [
            ("public", "Anyone with the link"),
            ("github", "People who sign in with GitHub, from organisations that I name"),
            ("everyone", "Everyone who signs in with a GitHub account"),
        ],
    )
    github_client_id = WordField(
        "GitHub client ID",
        "GitHub shows it on your OAuth app's page, once you have registered one with the addresses above.",
        rule=rules.github_client_id,
        required=False,
        max_length=100,
    )
    github_secret = secret(
        "GitHub client secret",
        "On your OAuth app's page on GitHub: Generate a new client secret. It goes straight into the vault.",
    )
    github_organisations = SeveralField(
        "Allowed GitHub organisations",
        "Their members may use the hub. One a line, or with commas between.",
        rule=rules.github_organisation,
    )


class PrivateFields(forms.Form):
    """Private repositories, and a folder for each person."""

    private_repositories = forms.BooleanField(
        label="Open private GitHub repositories",
        help_text="Slipway gives the hub a token of yours that can read them.",
        required=False,
    )
    private_token = secret(
        "GitHub token for private repositories",
        "A fine-grained personal access token that may only read the contents of these repositories, made on GitHub"
        " under Settings, Developer settings. It goes straight into the vault.",
    )
    storage_gib = whole(
        "Personal folder, in GB",
        "Optional, for people who sign in: a folder called persistent, of this size for each person, that is still"
        " there the next day. Everything else in a session is gone when it ends.",
        1,
        MOST_STORAGE,
        required=False,
    )
