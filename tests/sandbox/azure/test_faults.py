"""A planned fault is worded as the service at that path words its errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.sandbox.azure.conftest import World, refusal

PLAIN = [
    ("/dockerhub/v2/", {"errors": [{"code": "UNAVAILABLE", "message": "{}", "detail": None}]}),
    ("/dockerhub-auth/token", {"details": "{}"}),
    ("/github-api/user", {"message": "{}", "documentation_url": "https://docs.github.com/rest", "status": "503"}),
]
WORDS = "the server is currently unable to handle the request"


@pytest.mark.parametrize(("path", "said"), PLAIN)
def test_registries_and_github_answer_in_their_own_shape(world: World, path: str, said: dict[str, Any]) -> None:
    world.process.fault(f"^{path}", "unavailable")
    answer = world.http.get(path)
    assert answer.status_code == 503
    assert answer.text.replace(WORDS, "{}") == json.dumps(said)


def test_a_vault_answers_in_its_own_shape(world: World) -> None:
    secrets = world.secrets(world.worker)
    world.process.fault("^/kv/", "throttled-silent")
    refusal("Throttled", 429, lambda: secrets.get_secret("x"))


def test_a_sign_in_answers_in_its_own_shape(world: World) -> None:
    world.process.fault("/oauth2/v2.0/token", "unavailable")
    answer = world.http.post("/5117a000-0000-4000-8000-000000000001/oauth2/v2.0/token")
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")


def test_everything_else_answers_as_azure_resource_manager(world: World) -> None:
    world.process.fault("/resourcegroups", "unavailable")
    with pytest.raises(HttpResponseError) as caught:
        world.groups.resource_groups.get("any")
    assert caught.value.error is not None
    assert caught.value.error.code == "ServiceUnavailable"
