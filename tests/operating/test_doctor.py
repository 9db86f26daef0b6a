"""`manage.py doctor`: each bad state is told, with what to do; a good one is told as good."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone
from rq import Worker

from accounts.models import SubscriptionGrant
from bootstrap.machine import ROOT
from deployments import heartbeat, metering
from tests.operating.conftest import acting
from tests.operating.servers import authority, front_door, mail_server
from tests.operating.tenant import Tenant, prepared
from tests.portal.production import KEY
from tests.sandbox_process import SandboxProcess
from worker.doctor import asking, azure, findings, here
from worker.doctor.findings import Finding


@pytest.fixture(autouse=True)
def queue(valkey: object) -> Iterator[redis.Redis]:
    """Nobody has told of themselves yet."""
    client = metering.connect()
    client.flushall()
    yield client
    client.flushall()


def levels(found: Iterable[Finding]) -> list[str]:
    """The levels; whatever is wrong says what to do."""
    found = list(found)
    assert all(finding.remedy for finding in found if finding.level in ("warning", "error"))
    return [finding.level for finding in found]


def later(**by: float) -> Callable[[], datetime]:
    return lambda: timezone.now() + timedelta(**by)


# --- settings, database, queue --------------------------------------------------------------------------------------


def test_settings_that_are_refused_are_errors(settings: Any) -> None:
    settings.SECRET_KEY = "short"
    found = list(here.of_settings())
    assert "error" in levels(found) and any("SECRET_KEY can be guessed" in finding.what for finding in found)


def test_settings_of_one_machine_are_fine_there(settings: Any) -> None:
    settings.SECRET_KEY = KEY
    assert levels(here.of_settings()) == ["note", "ok"]


def test_settings_that_django_warns_of_are_warnings(settings: Any) -> None:
    settings.INSECURE_HTTP = False
    settings.SECRET_KEY, settings.SECURE_HSTS_SECONDS = KEY, 0
    assert "warning" in levels(here.of_settings())


def test_a_database_of_this_version_is_well(db: None) -> None:
    assert levels(here.of_database(timezone.now)) == ["ok"]


def test_a_database_that_does_not_answer_is_an_error(db: None) -> None:
    with connection.execute_wrapper(_away):
        (finding,) = here.of_database(timezone.now)
    assert finding.level == "error" and "DATABASE_URL" in finding.remedy


def _away(*_: Any) -> None:
    raise OperationalError("connection refused")


def test_tables_of_an_older_version_are_an_error(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'deployments'")
    found = list(here.of_database(timezone.now))
    assert levels(found) == ["error"] and "deployments.0001_initial" in found[0].what and "migrate" in found[0].remedy


@pytest.mark.parametrize(("seconds", "level"), [(5, "warning"), (-60, "error")])
def test_a_database_with_another_clock_is_told(seconds: int, level: str, db: None) -> None:
    assert levels(here.of_database(later(seconds=seconds))) == ["ok", level]


def test_sqlite_is_for_one_machine(settings: Any, db: None) -> None:
    settings.INSECURE_HTTP = False
    told = levels(here.of_database(timezone.now))
    assert told == (["ok", "warning"] if connection.vendor == "sqlite" else ["ok"])


def test_a_queue_that_answers_is_well() -> None:
    assert levels(here.of_queue())[0] == "ok"


@pytest.mark.parametrize("look", [here.of_queue, here.of_scheduler, here.of_workers])
def test_a_queue_that_is_away_is_an_error_and_hides_the_others(look: Any, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    assert levels(look()) == ["error"]


def test_a_queue_that_throws_away_is_told(queue: redis.Redis) -> None:
    before = queue.config_get("maxmemory*")
    queue.config_set("maxmemory", "100mb")
    queue.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert "warning" in levels(here.of_queue())
    finally:
        queue.config_set("maxmemory", before["maxmemory"])
        queue.config_set("maxmemory-policy", before["maxmemory-policy"])


# --- signs of life --------------------------------------------------------------------------------------------------


def test_without_a_scheduler_nothing_is_well(queue: redis.Redis) -> None:
    assert levels(here.of_scheduler()) == ["error"]
    queue.hset(heartbeat.BEATS, "old:1", str(time.time() - 300))
    (finding,) = here.of_scheduler()
    assert finding.level == "error" and "300 s ago, on old" in finding.what


def test_one_scheduler_is_well_and_two_are_told(queue: redis.Redis) -> None:
    heartbeat.Heart().beat()
    assert levels(here.of_scheduler()) == ["ok"]
    queue.hset(heartbeat.BEATS, "other:1", str(time.time()))
    assert levels(here.of_scheduler()) == ["warning"]


def test_a_scheduler_that_ends_in_good_order_is_no_longer_counted() -> None:
    heart = heartbeat.Heart()
    heart.beat()
    heart.stop()
    assert heartbeat.schedulers() == []


def test_without_a_worker_nothing_is_built(queue: redis.Redis) -> None:
    assert levels(here.of_workers()) == ["error"]


def test_a_worker_that_went_silent_is_not_counted(queue: redis.Redis) -> None:
    worker = Worker(["chores"], connection=queue, name="w", worker_ttl=heartbeat.WORKER_TTL)
    worker.register_birth()
    assert levels(here.of_workers()) == ["ok"]
    long_ago = datetime.now(UTC) - 2 * heartbeat.WORKER_SILENCE
    queue.hset(worker.key, "last_heartbeat", long_ago.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    assert levels(here.of_workers()) == ["error"]


# --- clocks and certificates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "level"), [(0, "ok"), (30, "warning"), (-600, "error")])
def test_the_clock_is_held_against_azures(seconds: int, level: str, cloud: SandboxProcess) -> None:
    with acting(cloud.portal_env):
        assert levels(here.of_clock(later(seconds=seconds))) == [level]


def test_a_cloud_that_does_not_answer_is_told(cloud: SandboxProcess) -> None:
    cloud.fault("/", "drop")
    try:
        with acting(cloud.portal_env):
            assert levels(findings.looked("clock", lambda: here.of_clock(timezone.now))) == ["error"]
    finally:
        cloud.clear_faults()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An authority that this machine trusts."""
    made = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


@pytest.mark.parametrize(("days", "level"), [(90, "ok"), (5, "warning")])
def test_the_portals_certificate_is_looked_at(days: int, level: str, trusted: Any, settings: Any) -> None:
    settings.INSECURE_HTTP = False
    certificate = trusted.issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=days, hours=1))
    with front_door(certificate) as address:
        settings.SLIPWAY_ADDRESS = address
        assert levels(here.of_address(timezone.now)) == [level]


def test_a_certificate_that_browsers_do_not_trust_is_an_error(trusted: Any, settings: Any, tmp_path: Path) -> None:
    for certificate in (
        authority(tmp_path / "..").issue_cert("localhost"),
        trusted.issue_cert("elsewhere.example.org"),
    ):
        with front_door(certificate) as address:
            settings.SLIPWAY_ADDRESS = address
            (finding,) = here.of_address(timezone.now)
            assert finding.level == "error" and "do not trust" in finding.what


def test_a_proxy_that_does_not_say_tls_is_found_out(trusted: Any, settings: Any) -> None:
    with front_door(trusted.issue_cert("localhost"), status=301) as address:
        settings.SLIPWAY_ADDRESS = address
        found = list(here.of_address(timezone.now))
    assert levels(found) == ["ok", "error"] and "X-Forwarded-Proto" in found[1].remedy


def test_an_address_that_nobody_answers_at_is_told(settings: Any) -> None:
    settings.SLIPWAY_ADDRESS = "https://localhost:9/"
    assert levels(here.of_address(timezone.now)) == ["warning"]


def test_one_machine_without_tls_has_no_certificate() -> None:
    assert levels(here.of_address(timezone.now)) == ["note"]


@pytest.mark.parametrize(("days", "level"), [(0, "ok"), (1_000_000, "error")])
def test_the_authority_of_the_profile_is_looked_at(days: int, level: str, cloud: SandboxProcess) -> None:
    with acting(cloud.portal_env):
        assert levels(here.of_bundle(later(days=days))) == [level]


def test_a_file_of_authorities_that_is_none_is_told(cloud: SandboxProcess, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    profile = json.loads(cloud.profile_path.read_text()) | {"ca_bundle": str(tmp_path / "ca.pem")}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    with acting({"AZURE_CLOUD_PROFILE": str(tmp_path / "profile.json")}):
        assert levels(here.of_bundle(timezone.now)) == ["error"]


def test_the_real_azure_needs_no_authority_of_its_own() -> None:
    with acting({"AZURE_CLOUD_PROFILE": ""}):
        assert levels(here.of_bundle(timezone.now)) == ["ok"]


# --- programs, disk, letters ----------------------------------------------------------------------------------------


def test_helm_is_the_one_that_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "helm").write_bytes(b"another program")
    assert levels(here.of_helm(tmp_path / "helm")) == ["error"]
    assert levels(here.of_helm(tmp_path / "nowhere")) == ["error"]
    assert levels(here.of_helm(Path(os.environ.get("HELM_BINARY", ROOT / "var/bin/helm")))) == ["ok"]


@pytest.mark.parametrize(("room", "level"), [(8, "error"), (32, "warning"), (4000, "ok")])
def test_the_disk_has_room(room: int, level: str, tmp_path: Path) -> None:
    assert levels(here.of_disk(tmp_path / "new", lambda _: room * here.MIB)) == [level]
    assert levels(here.of_disk(tmp_path / "new")) in (["ok"], ["warning"], ["error"])


def test_without_a_mail_server_letters_are_files(settings: Any) -> None:
    assert levels(here.of_letters()) == ["note"]


@pytest.mark.parametrize(("greeting", "level"), [(b"220 ready\r\n", "ok"), (b"554 go away\r\n", "error")])
def test_the_mail_server_is_greeted(greeting: bytes, level: str, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_USE_TLS, settings.EMAIL_HOST = False, "127.0.0.1"
    with mail_server(greeting) as settings.EMAIL_PORT:
        assert levels(here.of_letters()) == [level]


def test_a_mail_server_that_does_not_answer_is_an_error(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert levels(here.of_letters()) == ["error"]


# --- Azure ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tenant(cloud: SandboxProcess) -> Iterator[Tenant]:
    yield prepared(cloud)


def test_a_web_that_may_only_store_is_well_and_its_probe_is_removed(tenant: Tenant) -> None:
    probe = azure.new_probe()
    assert levels(azure.of_web(tenant.vault_of(tenant.web), probe)) == ["ok"]
    assert probe in tenant.vault_of(tenant.worker).names()
    assert levels(azure.of_worker(tenant.vault_of(tenant.worker), probe)) == ["ok"]
    assert tenant.vault_of(tenant.worker).names() == []


def test_a_web_that_may_not_store_is_an_error(cloud: SandboxProcess, tenant: Tenant) -> None:
    stranger = cloud.control("azure/applications", {"client_secret": "a-secret-of-an-application"})["client_id"]
    assert levels(azure.of_web(tenant.vault_of(stranger), azure.new_probe())) == ["error"]


def test_a_web_that_may_read_is_told(tenant: Tenant) -> None:
    probe = azure.new_probe()
    assert levels(azure.of_web(tenant.vault_of(tenant.worker), probe)) == ["warning"]
    assert levels(azure.of_worker(tenant.vault_of(tenant.worker), probe)) == ["ok"]


def test_what_a_worker_may_not_is_named(cloud: SandboxProcess, tenant: Tenant) -> None:
    body = {"vault": tenant.vault, "client_id": tenant.owner, "verbs": ["set", "list"]}
    cloud.control("azure/vault-rights", body)
    (finding,) = azure.of_worker(tenant.vault_of(tenant.owner), "")
    assert finding.level == "error" and "may not read, delete, purge secrets" in finding.what


def test_a_worker_without_any_right_is_told_once(tenant: Tenant) -> None:
    (finding,) = azure.of_worker(tenant.vault_of(tenant.web), azure.new_probe())
    assert finding.level == "error" and "list, read, delete, purge" in finding.what
    cleaned = tenant.vault_of(tenant.worker)
    for name in cleaned.names():
        assert levels(azure.of_worker(cleaned, name)) == ["ok"]


def test_a_vault_under_purge_protection_is_well(cloud: SandboxProcess) -> None:
    tenant = Tenant(cloud)
    tenant.connect("--apply", "--purge-protection")
    until = time.monotonic() + 20
    while levels(azure.of_worker(tenant.vault_of(tenant.worker), "")) != ["ok"]:
        assert time.monotonic() < until, "the roles have not arrived"


def test_a_prepared_subscription_is_well(tenant: Tenant, db: None) -> None:
    SubscriptionGrant.objects.create(subscription_id=tenant.subscription)
    assert levels(azure.of_subscriptions(tenant.session_of(tenant.worker))) == ["ok"]


def test_a_portal_that_nobody_may_use_is_told(tenant: Tenant, db: None) -> None:
    assert levels(azure.of_subscriptions(tenant.session_of(tenant.worker))) == ["warning"]


def test_a_subscription_that_cannot_be_seen_is_an_error(tenant: Tenant, db: None) -> None:
    SubscriptionGrant.objects.create(subscription_id=tenant.new_subscription())
    (finding,) = azure.of_subscriptions(tenant.session_of(tenant.worker))
    assert finding.level == "error" and "cannot see" in finding.what


def test_a_disabled_subscription_is_an_error(cloud: SandboxProcess, db: None) -> None:
    tenant = Tenant(cloud)
    tenant.connect("--apply")
    cloud.control("azure/subscriptions", {"id": tenant.subscription, "state": "Disabled"})
    SubscriptionGrant.objects.create(subscription_id=tenant.subscription)
    (finding,) = azure.of_subscriptions(tenant.session_of(tenant.worker))
    assert finding.level == "error" and "disabled" in finding.what


def test_lacking_rights_are_named_and_services_that_are_off(cloud: SandboxProcess, db: None) -> None:
    tenant = Tenant(cloud)
    body = {"client_id": tenant.worker, "subscription": tenant.subscription, "actions": ["*/read", "*/register/action"]}
    cloud.control("azure/rights", body)
    off = {"subscription": tenant.subscription, "namespace": "Microsoft.ContainerService", "state": "NotRegistered"}
    cloud.control("azure/providers", off)
    SubscriptionGrant.objects.create(subscription_id=tenant.subscription)
    found = list(azure.of_subscriptions(tenant.session_of(tenant.worker)))
    assert levels(found) == ["error", "warning", "warning"]
    assert "managedClusters/write" in found[0].what and "roleAssignments/write" in found[1].what
    assert "Microsoft.ContainerService" in found[2].what


# --- the command ----------------------------------------------------------------------------------------------------


def test_a_look_that_breaks_is_a_finding_with_a_reference(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Iterator[Finding]:
        yield Finding.ok("x", "first")
        raise RuntimeError("token dckr_pat_not_for_anybody")

    first, second = findings.looked("x", broken)
    assert (first.level, second.level) == ("ok", "error")
    assert "RuntimeError" not in second.what and second.remedy.split()[-1].strip(".") in caplog.text


def test_no_secret_is_told() -> None:
    finding = Finding.error("x", "refused: bearer abcdefghijklmnopqrstuvwx", "ask")
    assert "abcdefghijkl" not in str(finding.as_dict())


def test_a_worker_that_does_not_answer_is_an_error(db: None) -> None:
    (finding,) = asking.ask("slipway-doctor-x", 0.3)
    assert finding.level == "error" and "slipway-doctor-x is still in the vault" in finding.what


@pytest.mark.parametrize("shape", ["text", "json"])
def test_the_command_tells_all_and_fails_when_something_is_broken(
    shape: str, tenant: Tenant, people: dict[str, Any], settings: Any
) -> None:
    settings.SECRET_KEY = KEY
    SubscriptionGrant.objects.create(subscription_id=tenant.subscription)
    told = io.StringIO()
    with acting(tenant.environ(tenant.worker)), pytest.raises(SystemExit) as ended:
        call_command("doctor", "--here", *(["--json"] if shape == "json" else []), stdout=told)
    assert ended.value.code == 1  # no scheduler, no worker
    if shape == "json":
        found = json.loads(told.getvalue())
        parts = {each["part"] for each in found}
        assert {"database", "queue", "workers", "worker's identity", "subscriptions", "clock", "disk"} <= parts
    else:
        assert "No scheduler is alive" in told.getvalue() and "to mend now" in told.getvalue()
