"""The public resolver of the simulated world."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.sandbox_process import SandboxProcess, trusting

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox"), speed=5000) as process:
        yield process


@pytest.fixture
def ask(sandbox: SandboxProcess) -> Ask:
    def asked(name: str, **query: str) -> httpx.Response:
        trust = trusting(sandbox.ca)
        return httpx.get(f"{sandbox.origin}/dns/resolve", params={"name": name} | query, verify=trust)

    return asked


def made(sandbox: SandboxProcess, value: str, kind: str = "CNAME") -> str:
    name = f"{uuid.uuid4().hex[:8]}.example.org"
    sandbox.control("dns/records", {"name": name, "type": kind, "value": value})
    return name


def test_an_alias_is_followed_to_its_address(sandbox: SandboxProcess, ask: Ask) -> None:
    end = made(sandbox, "127.9.9.9", "A")
    name = made(sandbox, end)
    answer = ask(name).json()
    assert answer["Status"] == 0
    assert [(each["name"], each["type"], each["data"]) for each in answer["Answer"]] == [
        (f"{name}.", 5, f"{end}."),
        (f"{end}.", 1, "127.9.9.9"),
    ]


def test_an_alias_to_a_name_that_does_not_exist_yet_is_told_with_nxdomain(sandbox: SandboxProcess, ask: Ask) -> None:
    answer = ask(made(sandbox, "nobody.uksouth.cloudapp.azure.com")).json()
    assert answer["Status"] == 3
    assert [each["data"] for each in answer["Answer"]] == ["nobody.uksouth.cloudapp.azure.com."]


def test_a_name_that_does_not_exist_has_no_answer(ask: Ask) -> None:
    answer = ask("nobody.example.org").json()
    assert answer["Status"] == 3 and "Answer" not in answer


def test_aliases_in_a_circle_fail(sandbox: SandboxProcess, ask: Ask) -> None:
    name = made(sandbox, "x.example.org")
    sandbox.control("dns/records", {"name": "x.example.org", "type": "CNAME", "value": name})
    assert ask(name).json()["Status"] == 2


def test_only_the_kind_that_was_asked_for_is_told(sandbox: SandboxProcess, ask: Ask) -> None:
    assert "Answer" not in ask(made(sandbox, "127.9.9.9", "A"), type="TXT").json()


@pytest.mark.parametrize("query", [{"name": ""}, {"name": "two..dots"}, {"name": "a.example.org", "type": "NONSENSE"}])
def test_what_is_no_question_is_refused(query: dict[str, Any], ask: Ask) -> None:
    assert ask(**query).status_code == 400
