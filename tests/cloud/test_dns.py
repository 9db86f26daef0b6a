"""Where a name leads, as a public resolver says it."""

from __future__ import annotations

import uuid

import pytest

from cloud.dns import leads_to, look_up
from cloud.errors import RetryableError, Unavailable
from cloud.profile import AzureCloud
from tests.sandbox_process import SandboxProcess

WANTED = "course-ab12cd.uksouth.cloudapp.azure.com"


@pytest.fixture
def name() -> str:
    return f"{uuid.uuid4().hex[:8]}.example.org"


def make(sandbox: SandboxProcess, name: str, value: str, kind: str = "CNAME") -> None:
    sandbox.control("dns/records", {"name": name, "type": kind, "value": value})


def test_an_alias_leads_there_also_while_what_it_leads_to_does_not_exist_yet(
    sandbox: SandboxProcess, profile: AzureCloud, name: str
) -> None:
    make(sandbox, name, WANTED)
    assert leads_to(profile, name, WANTED).state == "ok"


def test_an_alias_of_an_alias_leads_there(sandbox: SandboxProcess, profile: AzureCloud, name: str) -> None:
    make(sandbox, f"inner.{name}", WANTED)
    make(sandbox, name, f"inner.{name}")
    assert leads_to(profile, name, WANTED).state == "ok"


def test_a_name_without_a_record_is_missing(profile: AzureCloud, name: str) -> None:
    assert leads_to(profile, name, WANTED).state == "missing"


def test_a_name_that_leads_elsewhere_says_where(sandbox: SandboxProcess, profile: AzureCloud, name: str) -> None:
    make(sandbox, name, "www.example.org")
    found = leads_to(profile, name, WANTED)
    assert (found.state, found.found) == ("elsewhere", "www.example.org")


def test_where_no_alias_is_possible_the_same_address_will_do(
    sandbox: SandboxProcess, profile: AzureCloud, name: str
) -> None:
    make(sandbox, f"wanted.{name}", "127.9.9.9", "A")
    make(sandbox, name, "127.9.9.9", "A")
    assert leads_to(profile, name, f"wanted.{name}").state == "ok"
    make(sandbox, name, "127.9.9.8", "A")
    assert leads_to(profile, name, f"wanted.{name}").found == "127.9.9.8"


@pytest.mark.parametrize("kind", ["server-error", "html", "garbage", "throttled"])
def test_a_resolver_that_cannot_say_is_tried_again(
    kind: str, sandbox: SandboxProcess, profile: AzureCloud, name: str
) -> None:
    sandbox.fault("/dns/resolve", kind)
    with pytest.raises(RetryableError):
        look_up(profile, name)


def test_names_that_lead_in_a_circle_are_nobodys_answer(
    sandbox: SandboxProcess, profile: AzureCloud, name: str
) -> None:
    make(sandbox, name, name)
    with pytest.raises(Unavailable, match="could not say"):
        look_up(profile, name)


def test_public_azure_asks_a_public_resolver_and_knows_its_own_names() -> None:
    cloud = AzureCloud.public()
    assert cloud.dns == "https://dns.google/resolve"
    assert cloud.public_name("course-ab12cd", "uksouth") == WANTED
    assert "chinacloudapi" in AzureCloud.china().public_name("a", "b") and "alidns" in AzureCloud.china().dns
