"""The request form: its words, its dependent choices, and what it says about what is typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from accounts.models import SpendingPolicy, User
from deployments.forms import DRAFT_SALT, RequestForm, new_draft
from deployments.models import CatalogueEntry, Deployment
from tests.web.conftest import SUBSCRIPTION, TRIAL

Browser = Callable[[str], Client]
LABELS = [
    "Hub name", "What is it for?", "Subscription", "Region", "Node size", "Number of nodes", "Kubernetes version",
    "Docker Hub username", "Docker Hub access token", "Docker Hub organisation", "Image prefix", "Who may use it?",
    "Anyone with the link", "People who sign in with GitHub, from organisations that I name",
    "Everyone who signs in with a GitHub account", "GitHub client ID", "GitHub client secret",
    "Allowed GitHub organisations", "Keep it until", "Where are images stored?", "Docker Hub",
    "A registry in Azure that Slipway makes for this hub", "Another registry", "Registry address", "Registry user",
    "Registry token", "Token address", "Project in the registry", "Your own domain",
    "Open private GitHub repositories", "GitHub token for private repositories", "Personal folder, in GB",
    "Which machines do people work on?", "Node size for sessions", "Fewest nodes for sessions",
    "Most nodes for sessions", "Disk of each node, in GB", "Uptime", "Title", "Banner", "Template repository",
    "Template branch", "Memory for each session, in GB", "CPUs for each session", "Stop after so many idle minutes",
    "Most sessions at a time", "Only these repositories", "Never these repositories", "Expert values",
]  # fmt: skip
pytestmark = pytest.mark.usefixtures("sandbox", "catalogue")


def filled(user: User, **changes: Any) -> dict[str, Any]:
    """What a careful person sends; `changes` replaces fields."""
    place = RequestForm(user).initial
    values = {name: place[name] for name in ("subscription_id", "region", "node_size", "kubernetes_version")}
    return {
        **values,
        "draft": new_draft(user),
        "name": "my-course",
        "purpose": "A course on statistics",
        "node_count": 3,
        "docker_username": "slipwaydemo",
        "docker_token": "dckr_pat_demo",
        "image_prefix": "binder-",
        "access": "public",
        "keep_until": (timezone.localdate() + timedelta(days=20)).isoformat(),
        **changes,
    }


def send(browser_of: Browser, people: dict[str, User], **changes: Any) -> Any:
    return browser_of("researcher").post("/hubs/new/", filled(people["researcher"], **changes))


def sentence(answer: Any, field: str) -> str:
    return " ".join(answer.context["form"].errors.get(field, []))


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_there_in_plain_words(label: str, browser_of: Browser) -> None:
    page = browser_of("researcher").get("/hubs/new/").content.decode()
    assert f">{label}<" in page


def test_every_control_has_a_label_and_help(browser_of: Browser) -> None:
    answer = browser_of("researcher").get("/hubs/new/")
    page = answer.content.decode()
    for field in answer.context["form"].visible_fields():
        assert field.help_text, field.name
        assert f'for="{field.id_for_label or field.auto_id + "_0"}"' in page
    assert "Request this hub" in page


def test_the_suggestion_fits_the_quota(people: dict[str, User]) -> None:
    plenty, trial = (
        RequestForm(people["researcher"]),
        RequestForm(people["researcher"], initial={"subscription_id": TRIAL}),
    )
    assert (plenty.initial["node_size"], plenty.initial["node_count"]) == ("Standard_D4s_v5", 3)
    assert (trial.initial["node_size"], trial.initial["node_count"]) == ("Standard_D2s_v5", 2)


def test_a_size_that_does_not_fit_cannot_be_chosen_and_says_why(browser_of: Browser) -> None:
    page = browser_of("researcher").get("/hubs/new/").content.decode()
    option = next(part for part in page.split("<option") if "D64s_v5" in part)
    assert "disabled" in option and "does not fit the quota" in option


def test_a_region_without_room_cannot_be_chosen_and_is_not_suggested(
    browser_of: Browser, people: dict[str, User]
) -> None:
    for region, nodes in (("uksouth", 0), ("northeurope", 7)):
        CatalogueEntry.objects.create(
            key=f"room:{SUBSCRIPTION}:{region}", data={"nodes": nodes}, fetched_at=timezone.now()
        )
    page = browser_of("researcher").get("/hubs/new/").content.decode()
    assert '<option value="uksouth" disabled>UK South: no room left in the quota</option>' in page
    assert RequestForm(people["researcher"])["region"].value() == "northeurope"


def test_another_region_offers_its_own_and_keeps_what_was_typed(browser_of: Browser, people: dict[str, User]) -> None:
    typed = filled(people["researcher"], region="northeurope", node_count=2)
    answer = browser_of("researcher").post("/hubs/new/parts", typed, headers={"HX-Target": "after-region"})
    page = answer.content.decode()
    assert "D4s_v5" not in page and 'value="Standard_D2s_v5" selected' in page and 'value="2"' in page
    assert 'id="derived"' in page and 'id="field_region"' not in page


def test_what_does_not_fit_the_other_subscription_becomes_its_suggestion(
    browser_of: Browser, people: dict[str, User]
) -> None:
    typed = filled(people["researcher"], subscription_id=TRIAL)
    form = browser_of("researcher").post("/hubs/new/parts", typed).context["form"]
    assert (form["node_size"].value(), form["node_count"].value()) == ("Standard_D2s_v5", 2)


def test_what_is_typed_shows_names_callback_and_cost(browser_of: Browser, people: dict[str, User]) -> None:
    answer = browser_of("researcher").post("/hubs/new/parts", filled(people["researcher"], access="github"))
    preview = answer.context["preview"]
    page = answer.content.decode()
    assert preview.names.group in page and preview.callback.endswith("/hub/oauth_callback") and preview.callback in page
    assert f"£{preview.estimate.monthly}" in page and "oauth_application%5Bcallback_url%5D" in page


def test_secrets_come_back_in_no_part(browser_of: Browser, people: dict[str, User]) -> None:
    answer = browser_of("researcher").post(
        "/hubs/new/parts", filled(people["researcher"], docker_token="canary-7f3a91")
    )
    assert b"canary-7f3a91" not in answer.content


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "My Course", "small letters"),
        ("name", "x", "3 to 20"),
        ("purpose", "", "fill this in"),
        ("docker_username", "me@example.org", "e-mail address"),
        ("name", "a-very-long-name-for-a-hub", "this one has 26"),
        ("name", "2nd-course", "start with a letter"),
        ("name", "course-", "end with a letter or digit"),
        ("name", "my--course", "single hyphens"),
        ("name", "default", "Kubernetes keeps the name"),
        ("name", "azure-course", "does not allow the word “azure”"),
        ("purpose", "x" * 1001, "1000 characters at most; it has 1001"),
        ("subscription_id", "5117a000-0000-4000-8000-0000000000ff", "choose one from the list"),
        ("region", "atlantis", "choose one from the list"),
        ("kubernetes_version", "1.2.3", "choose one from the list"),
        ("docker_username", "My Name", "small letters"),
        ("docker_organisation", "Not A Name", "small letters"),
        ("docker_organisation", "slip-way", "no hyphens"),
        ("docker_organisation", "me@example.org", "small letters"),
        ("access", "nobody", "choose one from the list"),
        ("image_prefix", "--", "small letters"),
        ("node_count", "11", "Choose from 1 to 10."),
        ("node_count", "0", "Choose from 1 to 10."),
        ("node_count", "many", "Write a whole number from 1 to 10."),
        ("node_count", "", "Please fill this in."),
        ("keep_until", timezone.localdate().isoformat(), "tomorrow"),
        ("keep_until", "2999-01-01", "90 days at most"),
        ("keep_until", "tomorrow", "like 2026-12-31"),
        ("keep_until", "", "Please fill this in."),
        ("node_size", "Standard_X1", "choose one from the list"),
        ("node_size", "", "Please fill this in."),
    ],
)
def test_bad_input_is_named_and_nothing_typed_is_lost_but_secrets(
    field: str, value: str, words: str, browser_of: Browser, people: dict[str, User]
) -> None:
    answer = send(browser_of, people, **{field: value, "docker_token": "canary-55aa01"})
    page = answer.content.decode()
    assert answer.status_code == 422 and words in sentence(answer, field)
    assert "slipwaydemo" in page or field == "docker_username"
    assert "A course on statistics" in page or field == "purpose"
    assert "canary-55aa01" not in page and "did not keep what you typed here" in page
    assert not Deployment.objects.exists()


def test_each_error_stands_beside_its_field_once(browser_of: Browser, people: dict[str, User]) -> None:
    answer = send(browser_of, people, name="My Course", docker_organisation="slip-way", node_count="11")
    page = answer.content.decode()
    for field in ("name", "docker_organisation", "node_count"):
        assert len(answer.context["form"].errors[field]) == 1
        assert page.count(f'id="id_{field}_error"') == 1 and f'href="#id_{field}"' in page
        assert re.search(rf'id="id_{field}"[^>]*>', page) and f"id_{field}_error" in page
    assert page.index("#id_name") < page.index("#id_node_count") < page.index("#id_docker_organisation")


def test_a_refused_form_keeps_everything_but_the_secrets(browser_of: Browser, people: dict[str, User]) -> None:
    typed = filled(
        people["researcher"], name="Wrong Name", docker_organisation="slipwayorg", image_prefix="term-",
        github_client_id="Ov23liSlipwayDemo001", github_secret="canary-91bb", github_organisations="a\nb",
        docker_token="canary-82cc", access="github",
    )  # fmt: skip
    answer = browser_of("researcher").post("/hubs/new/", typed)
    form, page = answer.context["form"], answer.content.decode()
    for name in set(typed) - {"draft", "docker_token", "github_secret"}:
        assert str(form[name].value()) == str(typed[name]), name
    assert "canary" not in page and page.count("did not keep what you typed here") == 2
    assert "except the secrets: type those again" in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("github_client_id", "x y", "does not look like a client ID"),
        ("github_client_id", "me@example.org", "does not look like a client ID"),
        ("github_client_id", "https://github.com/apps/mine", "does not look like a client ID"),
        ("github_organisations", "https://github.com/a", "give names, not addresses"),
        ("github_organisations", "-a", "cannot be a GitHub organisation"),
        ("github_organisations", "x" * 1001, "1000 characters at most"),
    ],
)
def test_what_github_could_not_have_given_is_named(
    field: str, value: str, words: str, browser_of: Browser, people: dict[str, User]
) -> None:
    app = {"github_client_id": "Ov23liSlipwayDemo001", "github_secret": "s", "github_organisations": "a", field: value}
    answer = send(browser_of, people, access="github", **app)
    assert answer.status_code == 422 and words in sentence(answer, field)
    assert len(answer.context["form"].errors[field]) == 1


def test_without_scripts_a_button_offers_what_hangs_on_the_choices(
    browser_of: Browser, people: dict[str, User]
) -> None:
    typed = filled(people["researcher"], subscription_id=TRIAL, docker_token="canary-1f", refresh="1")
    answer = browser_of("researcher").post("/hubs/new/", typed)
    page = answer.content.decode()
    assert answer.status_code == 200 and not answer.context["form"].errors and "canary-1f" not in page
    assert 'value="my-course"' in page and 'value="Standard_D2s_v5" selected' in page
    assert answer.context["preview"].address in page and not Deployment.objects.exists()


def test_more_nodes_than_fit_says_how_many_do(browser_of: Browser, people: dict[str, User]) -> None:
    answer = send(browser_of, people, subscription_id=TRIAL, node_size="Standard_D2s_v5", node_count=3)
    assert "Only 2 of this size fit" in sentence(answer, "node_count")


def test_github_sign_in_needs_its_fields(browser_of: Browser, people: dict[str, User]) -> None:
    answer = send(browser_of, people, access="github")
    assert "client ID" in sentence(answer, "github_client_id")
    assert "client secret" in sentence(answer, "github_secret")
    assert "nobody could sign in" in sentence(answer, "github_organisations")


def test_organisations_come_by_line_or_comma(people: dict[str, User]) -> None:
    form = RequestForm(
        people["researcher"],
        _querydict(filled(people["researcher"], access="github", github_organisations="a-b, c\nd")),
    )
    form.is_valid()
    assert form.cleaned_data["github_organisations"] == ("a-b", "c", "d")


def test_the_allowance_is_shown_and_held(browser_of: Browser, people: dict[str, User]) -> None:
    SpendingPolicy.objects.create(group=None, max_days=10)
    assert b"at most 10 days" in browser_of("researcher").get("/hubs/new/").content
    assert "10 days at most" in sentence(send(browser_of, people), "keep_until")


@pytest.mark.parametrize("draft", ["", "made-up", "other"])
def test_a_draft_that_is_not_ours_is_replaced_and_said(
    draft: str, browser_of: Browser, people: dict[str, User]
) -> None:
    sent = new_draft(people["stranger"]) if draft == "other" else draft
    answer = send(browser_of, people, draft=sent)
    assert "opened more than a day ago" in sentence(answer, "__all__")
    fresh = signing.loads(answer.context["form"]["draft"].value(), salt=DRAFT_SALT)
    assert fresh["user"] == people["researcher"].pk and fresh["hub"] == answer.context["form"].draft_id.hex


def test_the_page_is_not_kept_by_the_browser(browser_of: Browser) -> None:
    assert "no-store" in browser_of("researcher").get("/hubs/new/").headers["Cache-Control"]


def test_without_a_subscription_the_page_says_what_to_do(browser_of: Browser) -> None:
    CatalogueEntry.objects.all().delete()
    assert b"Ask them, then come back" in browser_of("researcher").get("/hubs/new/").content


def _querydict(values: dict[str, Any]) -> Any:
    from django.http import QueryDict

    query = QueryDict(mutable=True)
    query.update(values)
    return query
