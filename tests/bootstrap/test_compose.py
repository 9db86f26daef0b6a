"""docker-compose.yml is valid by the Compose Specification's own schema, consistent, and documented.

The schema tells right keys and types; it cannot tell whether images start. That needs Docker; these tests do without.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bootstrap import helm_binary
from bootstrap.machine import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OPERATING = (ROOT / "docs" / "operating.md").read_text()


def test_the_file_is_valid_by_the_compose_specification() -> None:
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_the_schema_refuses_a_misspelt_key() -> None:
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({"services": {"web": {"image": "x", "healthchek": {}}}})


@pytest.mark.parametrize("kind", ["secrets", "networks"])
def test_what_a_service_refers_to_exists(kind: str) -> None:
    used = {name for service in SERVICES.values() for name in service.get(kind, [])}
    assert used <= set(COMPOSE[kind])


def test_named_volumes_exist() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_dependencies_exist_and_are_waited_for() -> None:
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            waits_for_health = how["condition"] == "service_healthy"
            assert "test" in SERVICES[name]["healthcheck"] or not waits_for_health


def test_every_secret_is_a_file_and_every_file_variable_points_at_one_of_the_service() -> None:
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if name.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_only_the_web_publishes_a_port_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"web"}
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert "healthcheck" in service


def test_web_and_worker_have_different_identities() -> None:
    identities = [SERVICES[name]["environment"]["AZURE_CLIENT_ID"] for name in ("web", "worker")]
    assert identities[0] != identities[1]
    assert "AZURE_CLIENT_ID" not in SERVICES["scheduler"]["environment"]


def test_every_variable_of_the_file_is_documented() -> None:
    substituted = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    passed = {name for service in SERVICES.values() for name in service.get("environment", {})}
    missing = {name for name in substituted | passed if f"`{name.removesuffix('_FILE')}`" not in OPERATING}
    assert missing == set()


def test_the_image_does_not_run_as_root_and_checks_helm() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001", dockerfile, re.MULTILINE)
    assert "HEALTHCHECK" in dockerfile
    assert "bootstrap.fetch_helm" in dockerfile and len(helm_binary.SHA256) == 64


def test_the_image_gets_nothing_but_what_is_named() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert kept.isdisjoint({"var", ".venv", ".git", ".env", "secrets", "tests", "sandbox"})
