"""Settings fail closed: what could hurt somebody keeps the portal from starting, with a sentence about why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloud.profile import AzureCloud
from portal.refusals import refusals
from tests.portal.production import KEY, production, run

VAULT = {"AZURE_KEY_VAULT_URL": "https://portal.vault.azure.net/"}


@pytest.fixture
def real(settings: Any) -> Any:
    """The settings of a portal that serves others; nothing is wrong with them."""
    settings.INSECURE_HTTP = False
    settings.SECRET_KEY = KEY
    settings.ALLOWED_HOSTS = ["hubs.example.org"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://hubs.example.org"]
    settings.SLIPWAY_ADDRESS = "https://hubs.example.org/"
    return settings


def codes(settings: Any, environ: dict[str, str] | None = None) -> list[str]:
    return [refusal.code for refusal in refusals(settings, VAULT if environ is None else environ)]


def test_good_settings_are_not_refused(real: Any) -> None:
    assert codes(real) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("SECRET_KEY", "short", "weak-key"),
        ("SECRET_KEY", "ab" * 40, "weak-key"),
        ("SECRET_KEY", f"django-insecure-{KEY}", "weak-key"),
        ("DEBUG", True, "debug"),
        ("ALLOWED_HOSTS", ["hubs.example.org", "*"], "any-host"),
        ("ALLOWED_HOSTS", ["hubs.example.org", "*.example.org"], "any-host"),
        ("METRICS_TOKEN", "letmein", "weak-token"),
        ("SLIPWAY_ADDRESS", "http://hubs.example.org/", "http-address"),
        ("SLIPWAY_ADDRESS", "https://elsewhere.example.org/", "other-host"),
        ("CSRF_TRUSTED_ORIGINS", ["http://hubs.example.org"], "http-origin"),
    ],
)
def test_a_setting_that_could_hurt_is_refused(real: Any, name: str, value: object, code: str) -> None:
    setattr(real, name, value)
    assert codes(real) == [code]


def test_every_refusal_says_what_to_do(real: Any) -> None:
    real.SECRET_KEY, real.DEBUG, real.ALLOWED_HOSTS = "short", True, []
    real.SLIPWAY_ADDRESS, real.CSRF_TRUSTED_ORIGINS = "http://x.example.org/", ["http://x.example.org"]
    found = refusals(real, {"AZURE_CLOUD": "moon"})
    assert len(found) == 6
    assert all(refusal.what.endswith(".") and refusal.remedy for refusal in found)


@pytest.mark.parametrize("url", ["", "http://portal.vault.azure.net/"])
def test_a_portal_without_a_vault_is_refused(real: Any, url: str) -> None:
    assert codes(real, {"AZURE_KEY_VAULT_URL": url}) == ["vault"]


def test_a_cloud_nobody_knows_is_refused(real: Any) -> None:
    assert codes(real, {"AZURE_CLOUD": "moon"}) == ["cloud-profile"]


def test_a_simulated_cloud_is_refused_unless_somebody_wants_it(real: Any, tmp_path: Path) -> None:
    here = {name: "https://127.0.0.1:8443" for name in ("authority", "arm", "prices", "hub_address", "github")}
    here |= {name: "https://127.0.0.1:8443" for name in ("github_api", "docker_hub_auth", "docker_hub_registry")}
    profile = AzureCloud.public().as_dict() | here | {"name": "sandbox"}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    environ = {**VAULT, "AZURE_CLOUD_PROFILE": str(tmp_path / "profile.json")}
    assert codes(real, environ) == ["sandbox"]
    real.SLIPWAY_ALLOW_SANDBOX = True
    assert codes(real, environ) == []


@pytest.mark.parametrize("hosts", [["hubs.example.org"], ["192.0.2.7"], ["127.0.0.1", ".example.org"]])
def test_plain_http_is_for_one_machine_only(settings: Any, hosts: list[str]) -> None:
    assert settings.INSECURE_HTTP
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
    assert codes(settings, {}) == []
    settings.ALLOWED_HOSTS = hosts
    assert codes(settings, {}) == ["http-for-others"]


def test_plain_http_under_a_public_address_is_refused(settings: Any) -> None:
    settings.SLIPWAY_ADDRESS = "http://hubs.example.org/"
    assert codes(settings, {}) == ["http-for-others"]


def test_djangos_own_check_for_deployment_is_clean(tmp_path: Path) -> None:
    done = run(["manage.py", "check", "--deploy", "--fail-level", "WARNING"], production(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout + done.stderr


def test_djangos_own_check_tells_what_is_refused(tmp_path: Path) -> None:
    environ = production(tmp_path, SLIPWAY_ADDRESS="http://hubs.example.org/")
    done = run(["manage.py", "check", "--deploy"], environ)
    assert done.returncode == 1 and "slipway.http-address" in done.stderr


@pytest.mark.parametrize(
    "program",
    [
        ["-c", "import portal.asgi"],
        ["-c", "import portal.wsgi"],
        ["manage.py", "work"],
        ["manage.py", "sweep"],
    ],
)
def test_nothing_serves_while_something_is_refused(program: list[str], tmp_path: Path) -> None:
    done = run(program, production(tmp_path, SECRET_KEY="short"))
    assert done.returncode == 1
    assert "Slipway does not start with these settings" in done.stderr and "SECRET_KEY can be guessed" in done.stderr


def test_nothing_serves_without_a_key(tmp_path: Path) -> None:
    done = run(["manage.py", "sweep"], production(tmp_path, SECRET_KEY=""))
    assert done.returncode == 1 and "Set SECRET_KEY (or SECRET_KEY_FILE)" in done.stderr
