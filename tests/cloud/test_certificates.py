"""What an address shows, as a browser would judge it. Wrong names and ends are tried on hubs (tests/worker)."""

from __future__ import annotations

from datetime import UTC, datetime

from cloud.certificates import look
from cloud.profile import AzureCloud


def test_a_trusted_certificate_tells_its_end_and_who_gave_it(profile: AzureCloud) -> None:
    found = look(f"{profile.arm}/", profile.ca_bundle)
    assert found.state == "ok" and found.issuer
    assert found.until and found.until > datetime.now(UTC)


def test_one_that_nobody_vouches_for_is_not_trusted(profile: AzureCloud) -> None:
    found = look(f"{profile.arm}/")
    assert found.state == "not-trusted" and found.why


def test_where_nobody_listens_nothing_is_seen() -> None:
    assert look("https://127.0.0.1:9/").state == "unreachable"
