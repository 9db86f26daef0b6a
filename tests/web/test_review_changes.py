"""Changes that may cost more than was approved: reviewers decide with the difference before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deployments.models import Deployment, SpecRevision
from deployments.states import OperationKind
from tests.web.standing import asked_change, ready

Browser = Callable[[str], Client]
pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def asked(make_hub: Callable[..., Deployment]) -> SpecRevision:
    """Five nodes instead of three: two more at 146.00 and 15.60 each a month."""
    return asked_change(ready(make_hub), node_count=5)


def url(page: str, revision: SpecRevision) -> str:
    return reverse(f"deployments:{page}", args=[revision.deployment_id, revision.number])


def told(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_it_is_listed_and_counted_for_reviewers(asked: SpecRevision, browser_of: Browser) -> None:
    page = browser_of("reviewer").get(reverse("deployments:review")).content.decode()
    assert url("review-change", asked) in page and "1 waiting" in page
    assert "Review this change" in browser_of("reviewer").get(asked.deployment.get_absolute_url()).content.decode()


def test_the_difference_and_the_cost_are_shown(asked: SpecRevision, browser_of: Browser) -> None:
    page = browser_of("reviewer").get(url("review-change", asked)).content.decode()
    for words in ("Number of nodes", ">3<", ">5<", "£826.00", "£502.80", "£323.20", "A course on statistics"):
        assert words in page


@pytest.mark.parametrize("page", ["review-change", "approve-change", "reject-change"])
@pytest.mark.parametrize("who", ["researcher", "stranger"])
def test_it_does_not_exist_for_others(page: str, who: str, asked: SpecRevision, browser_of: Browser) -> None:
    client = browser_of(who)
    assert {client.get(url(page, asked)).status_code, client.post(url(page, asked)).status_code} <= {404, 405}
    assert not asked.deployment.operations.exists()


def test_approving_applies_it_once(asked: SpecRevision, browser_of: Browser) -> None:
    client = browser_of("reviewer")
    assert client.get(url("approve-change", asked)).status_code == 405
    assert "is being applied now" in told(client.post(url("approve-change", asked), follow=True))
    assert "decided or withdrawn" in told(client.post(url("approve-change", asked), follow=True))
    operation = asked.deployment.operations.get()
    assert operation.kind == OperationKind.CHANGE and operation.revision == asked


def test_rejecting_needs_a_reason_that_the_owner_reads(asked: SpecRevision, browser_of: Browser) -> None:
    client = browser_of("reviewer")
    answer = client.post(url("reject-change", asked), {"reason": " "})
    assert answer.status_code == 422 and b"Say why" in answer.content
    client.post(url("reject-change", asked), {"reason": "Three are enough."})
    page = browser_of("researcher").get(asked.deployment.get_absolute_url()).content.decode()
    assert "Your change was not approved" in page and "Three are enough." in page
    assert not asked.deployment.operations.exists()


def test_a_decided_change_says_so(asked: SpecRevision, browser_of: Browser) -> None:
    client = browser_of("reviewer")
    client.post(url("reject-change", asked), {"reason": "No."})
    page = client.get(url("review-change", asked)).content.decode()
    assert "nothing to decide here any more" in page and ">Approve<" not in page


def test_a_first_revision_is_no_change_to_review(asked: SpecRevision, browser_of: Browser) -> None:
    first = reverse("deployments:review-change", args=[asked.deployment_id, 1])
    assert browser_of("reviewer").get(first).status_code == 404
