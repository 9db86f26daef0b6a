"""Where the images that a hub builds are stored."""

from __future__ import annotations

from django import forms

from deployments import naming
from deployments.forms import rules
from deployments.forms.controls import WordField, radios, secret


class RegistryFields(forms.Form):
    """Docker Hub, a registry in Azure that Slipway makes, or any other."""

    registry = radios(
        "Where are images stored?",
        "A registry is a store for images. A second start of the same repository takes its image from there.",
        [
            ("dockerhub", "Docker Hub"),
            ("acr", "A registry in Azure that Slipway makes for this hub"),
            ("other", "Another registry"),
        ],
    )
    docker_username = WordField(
        "Docker Hub username",
        "The account that stores the images your hub builds. Your username, not your e-mail address.",
        rule=naming.problem_with_docker_username,
        required=False,
        max_length=100,
    )
    docker_token = secret(
        "Docker Hub access token",
        "Made on hub.docker.com under Account settings, Personal access tokens, with the right to read and write."
        " It goes straight into the vault.",
    )
    docker_organisation = WordField(
        "Docker Hub organisation",
        "Optional. Fill it in to store the images in an organisation's account instead of your own.",
        rule=rules.docker_organisation,
        required=False,
        max_length=100,
    )
    registry_address = WordField(
        "Registry address",
        "The registry's host name alone, like registry.example.org.",
        rule=rules.registry_address,
        required=False,
        max_length=260,
        attrs={"placeholder": "registry.example.org"},
    )
    registry_username = WordField(
        "Registry user",
        "Who signs in there. Many registries have robot accounts for this.",
        required=False,
        max_length=100,
    )
    registry_token = secret(
        "Registry token",
        "The user's password or access token, with the right to read and write. It goes straight into the vault.",
    )
    registry_token_url = WordField(
        "Token address",
        "Optional. Only where the registry does not say by itself where tokens are given out, like"
        " https://registry.example.org/service/token.",
        rule=rules.token_address,
        required=False,
        max_length=300,
    )
    registry_project = WordField(
        "Project in the registry",
        "Images are stored one level below it. Without one the hub's name is taken; some registries want you to make"
        " the project there first.",
        rule=rules.registry_project,
        required=False,
        max_length=100,
    )
    image_prefix = WordField(
        "Image prefix",
        "The beginning of every image's name, so that you recognise them in the registry.",
        rule=naming.problem_with_image_prefix,
        max_length=80,
    )
