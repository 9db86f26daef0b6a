"""Names obey the rules of everything they are given to."""

from __future__ import annotations

from uuid import UUID

import pytest

from deployments import naming


@pytest.mark.parametrize("name", ["ab", "Upper", "1st", "ends-", "two--hyphens", "off", "my-azure-hub", "x" * 21])
def test_a_bad_hub_name_is_told_why(name: str) -> None:
    assert naming.problem_with_hub_name(name)


def test_the_node_group_stays_within_azures_80_characters() -> None:
    names = naming.derive("x" * 20, UUID(int=0))
    assert len(f"MC_{names.group}_{names.cluster}_australiacentral2") <= 80


def test_an_e_mail_address_is_no_docker_username() -> None:
    assert "e-mail" in naming.problem_with_docker_username("someone@example.org")
