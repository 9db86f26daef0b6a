"""Settings come from the environment; a secret may lie in a file instead."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from bootstrap.machine import ROOT
from portal import environment
from tests.portal.production import production, run

SECRET = re.compile(r"(SECRET|PASSWORD|TOKEN|_KEY$|REDIS_URL|DATABASE_URL)")
ROOMS = ("portal", "accounts", "deployments", "worker", "cloud")
#: Not ours to read: workload identity names the file itself; the demo's own file; a vault's address is no secret.
OTHERS = {"AZURE_FEDERATED_TOKEN", "SLIPWAY_DEMO_DOCKER_TOKEN", "AZURE_KEY_VAULT_URL"}


def _asked_for() -> dict[str, set[str]]:
    """Secret setting → by which functions it is read."""
    found: dict[str, set[str]] = {}
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name, reader = str(node.args[0].value).removesuffix("_FILE"), ast.unparse(node.func)
                reads = reader == "text" or "env" in reader.lower()
                if reads and re.fullmatch(r"[A-Z][A-Z0-9_]+", name) and SECRET.search(name):
                    found.setdefault(name, set()).add(reader)
    return {name: readers for name, readers in found.items() if name not in OTHERS}


def test_every_secret_setting_is_read_by_what_looks_into_a_file_too() -> None:
    asked = _asked_for()
    assert {"SECRET_KEY", "DATABASE_PASSWORD", "REDIS_URL", "EMAIL_HOST_PASSWORD", "METRICS_TOKEN"} <= set(asked)
    assert asked.pop("AZURE_CLIENT_SECRET")  # by cloud/azure/session.py, tested in tests/cloud/test_session.py
    assert {name: readers for name, readers in asked.items() if not readers <= {"env.text", "text"}} == {}


def test_every_secret_setting_comes_out_of_its_file(tmp_path: Path) -> None:
    names = sorted(set(_asked_for()) - {"AZURE_CLIENT_SECRET"})
    files = {}
    for name in names:
        (tmp_path / name).write_text(f"{_sample(name)}\n")
        files[f"{name}_FILE"] = str(tmp_path / name)
    environ = {**production(tmp_path, SECRET_KEY=""), **files}
    program = "import json; from portal import environment as e; print(json.dumps({n: e.text(n, '') for n in %r}))"
    assert json.loads(run(["-c", program % names], environ).stdout) == {name: _sample(name) for name in names}
    shown = "from portal import settings as s; print(s.SECRET_KEY, s.REDIS_URL, s.EMAIL_HOST_PASSWORD, s.METRICS_TOKEN)"
    told = run(["-c", shown], environ).stdout.split()
    assert told == [_sample(n) for n in ("SECRET_KEY", "REDIS_URL", "EMAIL_HOST_PASSWORD", "METRICS_TOKEN")]


def _sample(name: str) -> str:
    return f"postgres://slipway@db/{name.lower()}" if name.endswith("_URL") else f"from-the-file-of-{name.lower()}"


def test_the_password_of_postgresql_comes_out_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("p@ss\n")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    assert environment.database("postgres://slipway@db:5432/slipway")["PASSWORD"] == "p@ss"


def test_a_variable_set_to_nothing_leaves_its_file_the_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "it").write_text("from the file")
    monkeypatch.setenv("SOME_SECRET", "")
    assert environment.text("SOME_SECRET", "default") == ""
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "it"))
    assert environment.text("SOME_SECRET") == "from the file"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ImproperlyConfigured, match=r"SOME_SECRET_FILE names .*nowhere, which cannot be read: No such"):
        environment.text("SOME_SECRET")


def test_a_file_that_is_no_text_is_not_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "it").write_bytes(b"\xff\xfe secret")
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "it"))
    with pytest.raises(ImproperlyConfigured) as refused:
        environment.text("SOME_SECRET")
    assert "no text" in str(refused.value) and "secret" not in str(refused.value).replace("SOME_SECRET_FILE", "")


def test_a_number_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECONDS", "soon")
    with pytest.raises(ImproperlyConfigured, match="SOME_SECONDS is 'soon'; it must be a number"):
        environment.number("SOME_SECONDS", "1")
