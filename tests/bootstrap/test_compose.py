"""docker-compose.yml and Dockerfile: valid by the specification, consistent, confined, documented.

The schema tells right keys and types; it cannot tell whether images start. That needs Docker; these tests do without,
and test_many_machines.py runs the same processes from the same settings by hand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bootstrap import helm_binary
from bootstrap.machine import ROOT
from tests.bootstrap.composed import TEXT, image_command, image_environment, interpolated, services, stages

COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker", "scheduler", "migrate")
OPERATING = (ROOT / "docs" / "operating.md").read_text()
GIVEN = {
    "SLIPWAY_HOST": "hubs.example.org",
    "PROXY_TLS": "it@example.org",
    "AZURE_TENANT_ID": "t",
    "AZURE_KEY_VAULT_URL": "https://v.vault.azure.net/",
    "AZURE_WEB_CLIENT_ID": "web",
    "AZURE_WORKER_CLIENT_ID": "worker",
}


def test_the_file_is_valid_by_the_compose_specification() -> None:
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_the_schema_refuses_a_misspelt_key() -> None:
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({"services": {"web": {"image": "x", "healthchek": {}}}})


def test_docker_itself_takes_the_file_where_it_is_there_to_ask(tmp_path: Path) -> None:
    """Where there is no `docker compose`, our own reading of the file must at least need nothing more."""
    docker = shutil.which("docker")
    asked = [docker or "docker", "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "--quiet"]
    plugin = bool(docker) and subprocess.run([*asked[:2], "version"], capture_output=True).returncode == 0
    if plugin:
        done = subprocess.run(asked, env={"PATH": os.environ["PATH"], **GIVEN}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert set(services(GIVEN)) == set(SERVICES)


@pytest.mark.parametrize("name", GIVEN)
def test_what_must_be_said_is_asked_for(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        interpolated(COMPOSE, {key: value for key, value in GIVEN.items() if key != name})


@pytest.mark.parametrize("kind", ["secrets", "networks"])
def test_what_a_service_refers_to_exists(kind: str) -> None:
    used = {name for service in SERVICES.values() for name in service.get(kind, [])}
    assert used == set(COMPOSE[kind])


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


def test_no_secret_is_given_by_an_environment_variable_or_an_argument() -> None:
    for service in services(GIVEN).values():
        named = [name for name in service.get("environment", {}) if re.search("SECRET|PASSWORD|TOKEN|REDIS_URL", name)]
        assert [name for name in named if not name.endswith("_FILE")] == []
        assert "password" not in str(service.get("command", "")).replace("/run/secrets/redis_password", "").lower()


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}


def test_the_database_and_the_queue_reach_nobody_and_only_ours_reach_them() -> None:
    internal = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    reach = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert reach["postgres"] == reach["redis"] == {"inside"} <= internal
    assert {name for name, networks in reach.items() if "inside" in networks} == {*OURS, "postgres", "redis"}
    assert reach["proxy"] & reach["web"] == {"front"} <= internal


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", service["user"])
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"} and service["pids_limit"]
    assert "healthcheck" in service and service["logging"]["options"]
    assert not service.get("privileged") and "docker.sock" not in str(service)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_written_is_in_memory_of_a_size_or_in_a_volume(name: str) -> None:
    folders = SERVICES[name].get("tmpfs", [])
    assert folders and all(":size=" in folder for folder in folders)
    assert all("/" not in volume.partition(":")[0] for volume in SERVICES[name].get("volumes", []))


def test_there_are_any_number_of_webs_and_workers_and_exactly_one_scheduler() -> None:
    replicas = {name: SERVICES[name]["deploy"].get("replicas") for name in ("web", "worker", "scheduler")}
    assert replicas == {"web": 2, "worker": 2, "scheduler": 1}
    assert all("container_name" not in service for service in SERVICES.values())


def test_tables_are_made_once_before_anything_serves() -> None:
    assert SERVICES["migrate"]["restart"] == "no"
    for name in ("web", "worker", "scheduler"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_queue_keeps_its_data_and_asks_for_a_password() -> None:
    script = SERVICES["redis"]["command"][-1]
    assert "appendonly yes" in script and "noeviction" in script and "requirepass" in script


def test_web_and_worker_have_different_identities() -> None:
    identities = [SERVICES[name]["environment"]["AZURE_CLIENT_ID"] for name in ("web", "worker")]
    assert identities[0] != identities[1]
    assert "AZURE_CLIENT_ID" not in SERVICES["scheduler"]["environment"]
    assert "azure_worker_client_secret" not in SERVICES["web"]["secrets"]


def test_every_image_is_pinned_to_a_version() -> None:
    images = [SERVICES[name]["image"] for name in SERVICES if "build" not in SERVICES[name]]
    bases = [stage[0][1] for stage in stages().values() if stage[0][1] not in stages()]
    for image in [*images, *bases]:
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?-[\w-]+", image), image


def test_every_variable_of_the_file_is_documented() -> None:
    substituted = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    passed = {name for service in SERVICES.values() for name in service.get("environment", {})}
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    substituted |= set(re.findall(r"\{\$([A-Z_]+)", caddyfile))
    missing = {name for name in substituted | passed if f"`{name.removesuffix('_FILE')}`" not in OPERATING}
    assert missing == set()


# --- the images -----------------------------------------------------------------------------------------------------


def test_builds_name_stages_that_exist() -> None:
    assert {service["build"]["target"] for service in SERVICES.values() if "build" in service} <= set(stages())


def test_a_plain_build_makes_the_portal() -> None:
    assert list(stages())[-1] == "portal"


@pytest.mark.parametrize("stage", ["portal", "proxy"])
def test_what_runs_does_not_run_as_root_and_tells_its_health(stage: str) -> None:
    words = dict(stages()[stage])
    service = next(each for each in SERVICES.values() if each.get("build", {}).get("target") == stage)
    assert words["USER"] == service["user"]
    assert json.loads(words["HEALTHCHECK"].partition("CMD ")[2])
    assert json.loads(words["CMD"])


def test_the_last_stage_builds_and_fetches_nothing() -> None:
    told = " ".join(text for _, text in stages()["portal"])
    assert not re.search(r"\b(pip install|apt-get|apk|curl|wget|gcc|make|git)\b", told)
    copied = [text for word, text in stages()["portal"] if word == "COPY"]
    assert copied and all(text.startswith("--from=") for text in copied)
    assert "/usr/local/bin/pip" in told and "ensurepip" in told  # taken away


def test_no_stage_adds_from_the_network_or_changes_the_shell() -> None:
    words = {word for stage in stages().values() for word, _ in stage}
    assert words <= {"FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert all(Path(text).is_absolute() for stage in stages().values() for word, text in stage if word == "WORKDIR")


def test_helm_is_the_one_whose_sum_is_pinned() -> None:
    assert any("bootstrap.fetch_helm" in text for _, text in stages()["helm"])
    assert len(helm_binary.SHA256) == 64
    assert image_environment("portal")["HELM_BINARY"] == "/usr/local/bin/helm"


def test_the_image_gets_nothing_but_what_is_named() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert kept.isdisjoint({"var", ".venv", ".git", ".env", "secrets", "tests", "sandbox"})
    assert {text.split()[0].split("/")[0] for word, text in stages()["proxy"] if word == "COPY"} <= kept


def test_uvicorn_leaves_its_lines_to_the_portals_own_shape() -> None:
    command = image_command("portal")
    file = ROOT / command[command.index("--log-config") + 1]
    assert json.loads(file.read_text()) == {"version": 1, "disable_existing_loggers": False}
    assert "--no-access-log" in command
