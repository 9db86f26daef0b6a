"""A description survives being stored, and one from another time is not guessed at."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from deployments.pools import wanted_pools
from deployments.spec import HubSpec
from deployments.states import MOVES, Lifecycle, sources
from tests.unit.hubs import described


def test_what_is_stored_comes_back_the_same() -> None:
    spec = described(github_organisations=("a", "b"), allowed_repositories=("lab/*",), user_memory_gib=1.5)
    assert HubSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_field_that_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match="colour"):
        HubSpec.from_json(described().to_json() | {"colour": "red"})


def test_a_description_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        HubSpec.from_json(described().to_json() | {"version": 99})


def test_no_field_could_hold_a_secret() -> None:
    words = ("secret", "password", "token")
    named = [field.name for field in fields(HubSpec) if any(word in field.name for word in words)]
    assert named == ["registry_token_url"]


def test_one_pool_serves_everything_unless_there_is_a_size_for_sessions() -> None:
    assert [pool.name for pool in wanted_pools(described())] == ["core"]
    pools = wanted_pools(described(user_node_size="Standard_D8s_v5", user_nodes_min=1, user_nodes_max=4))
    assert [(pool.name, pool.mode, pool.count, pool.min_count, pool.max_count) for pool in pools] == [
        ("core", "System", 2, None, None),
        ("user", "User", 1, 1, 4),
    ]
    assert pools[1].taints and pools[1].labels


def test_every_lifecycle_says_what_may_become_of_it() -> None:
    assert set(MOVES) == set(Lifecycle)


def test_what_is_final_becomes_nothing_else() -> None:
    assert all(not MOVES[state] for state in Lifecycle if state.look.final)


def test_everything_that_may_hold_something_can_be_taken_down() -> None:
    final = {Lifecycle.REJECTED, Lifecycle.DELETED, Lifecycle.DELETING}
    assert set(sources(Lifecycle.DELETING)) == {state.value for state in Lifecycle if state not in final}


def test_nothing_comes_back_from_being_taken_down() -> None:
    assert MOVES[Lifecycle.DELETING] == {Lifecycle.DELETED}
