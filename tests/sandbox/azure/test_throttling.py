"""ARM's limits, as the SDK meets them."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError

from tests.sandbox.azure.conftest import World


def test_an_empty_bucket_is_a_429_with_its_time(own: World) -> None:
    few = {"size": 2, "rate": 0.02}
    own.process.control("azure/limits", {"subscription": own.subscription, "reads": few})
    with pytest.raises(HttpResponseError) as caught:
        for _ in range(3):
            list(own.groups.resource_groups.list(retry_status=0, retry_total=0))
    assert caught.value.status_code == 429
    assert caught.value.error is not None
    assert caught.value.error.code == "SubscriptionRequestsThrottled"
    assert caught.value.response is not None
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 50


def test_other_kinds_and_other_subscriptions_are_not_held_up(own: World) -> None:
    none = {"size": 0, "rate": 0.01}
    own.process.control("azure/limits", {"subscription": own.subscription, "reads": none})
    own.groups.resource_groups.create_or_update("group", {"location": "uksouth"})
    own.use(own.new_subscription())
    assert list(own.groups.resource_groups.list()) == []
