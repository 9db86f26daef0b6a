"""A backup brings everything back as it was, running operations included; nothing is overwritten or half restored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from deployments.archive import archive_stretch
from deployments.backups import restore
from deployments.backups.refusal import BackupRefused
from deployments.events import Line, record
from deployments.log import lines_after
from deployments.models import Deployment, Operation, SpecRevision
from deployments.states import OperationStatus
from tests.engine.filed import Filed
from tests.engine.plans import Plan, one_pass, operation_of, states, to_the_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture
def operation(people: dict[str, Any]) -> Operation:
    return operation_of(people["researcher"])


@pytest.fixture
def backup(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str = "slipway.backup") -> Path:
        call_command("backup", tmp_path / name, verbosity=0)
        return tmp_path / name

    return make


def everything() -> dict[str, list[dict[str, Any]]]:
    """All that is remembered, table by table, but for who is signed in."""
    from django.apps import apps

    models = [each for each in apps.get_models() if each._meta.managed and each._meta.db_table != "django_session"]
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in models}


def run(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_everything_comes_back_as_it_was(operation: Operation, backup: Callable[..., Path]) -> None:
    record(operation.id, [Line("“Ä line”, with 'quotes', \\ and\na tab\t.") for _ in range(1200)])
    archive_stretch(operation.id)
    before, copy = everything(), backup()
    Deployment.objects.update(name="changed")
    operation_of(operation.deployment.owner, "made-since")
    call_command("restore", copy, "--yes")
    assert everything() == before
    operation.refresh_from_db()
    assert [line.number for line in lines_after(operation, 0, 2000)] == list(range(1, 1201))


def test_new_rows_have_new_keys_after_a_restore(operation: Operation, backup: Callable[..., Path]) -> None:
    call_command("restore", backup(), "--yes")
    again = SpecRevision.objects.create(
        deployment=operation.deployment, number=2, data={}, author=operation.requested_by
    )
    assert again.pk > operation.revision_id


def test_a_run_that_was_under_way_goes_on_and_makes_nothing_twice(
    operation: Operation, backup: Callable[..., Path], tmp_path: Path
) -> None:
    plan: Plan = (Filed("group", tmp_path), Filed("cluster", tmp_path, after=("group",)))
    one_pass(operation, plan[:1])
    Operation.objects.filter(id=operation.id).update(status=OperationStatus.RUNNING, finished_at=None)
    copy, done = backup(), dict(states(operation))
    assert to_the_end(operation, plan).status == OperationStatus.SUCCEEDED
    call_command("restore", copy, "--yes")
    operation.refresh_from_db()
    assert (operation.status, states(operation)) == (OperationStatus.RUNNING, done)
    assert to_the_end(operation, plan).status == OperationStatus.SUCCEEDED
    for step in ("group", "cluster"):
        assert len((tmp_path / f"{operation.id}.{step}.made").read_text().splitlines()) == 1
    numbers = [line.number for line in lines_after(operation, 0, 1000)]
    assert numbers == list(range(1, operation.event_count + 1))


def test_a_lease_held_at_the_backup_has_run_out_when_the_portal_starts_again(
    operation: Operation, backup: Callable[..., Path], tmp_path: Path
) -> None:
    Operation.objects.filter(id=operation.id).update(fence=7, lease_until=timezone.now() - timedelta(seconds=1))
    call_command("restore", backup(), "--yes")
    operation.refresh_from_db()
    assert to_the_end(operation, (Filed("group", tmp_path),)).status == OperationStatus.SUCCEEDED
    operation.refresh_from_db()
    assert operation.fence > 7


def test_a_backup_is_for_its_owner_alone_and_leaves_out_who_is_signed_in(
    people: dict[str, Any], backup: Callable[..., Path]
) -> None:
    client = Client()
    client.force_login(people["researcher"], backend="django.contrib.auth.backends.ModelBackend")
    copy = backup()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert client.session.session_key.encode() not in copy.read_bytes()
    call_command("restore", copy, "--yes")
    assert client.get("/").headers["Location"].startswith("/sign-in/")


def test_a_backup_overwrites_nothing(backup: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("precious")
    with pytest.raises(CommandError, match="exists already"):
        backup("kept")
    assert (tmp_path / "kept").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_backup_that_cannot_be_written_leaves_nothing(backup: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        backup("nowhere/slipway.backup")
    assert list(tmp_path.iterdir()) == []


def test_a_restore_that_nobody_has_confirmed_changes_nothing(operation: Operation, backup: Callable[..., Path]) -> None:
    copy = backup()
    Deployment.objects.update(name="changed")
    with pytest.raises(CommandError, match="Say --yes"):
        call_command("restore", copy)
    assert Deployment.objects.get().name == "changed"


def test_a_backup_of_a_newer_slipway_is_refused(operation: Operation, backup: Callable[..., Path]) -> None:
    run(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('deployments', '0999_next_year', %s)",
        timezone.now(),
    )
    copy = backup()
    run("DELETE FROM django_migrations WHERE name = '0999_next_year'")
    Deployment.objects.update(name="changed")
    with pytest.raises(CommandError, match=r"made by a newer Slipway: it has deployments\.0999_next_year"):
        call_command("restore", copy, "--yes")
    assert Deployment.objects.get().name == "changed"


def test_a_backup_of_an_older_slipway_is_brought_up_to_date(
    backup: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    youngest = "0003_logentry_add_action_flag_choices"
    run("DELETE FROM django_migrations WHERE app = 'admin' AND name = %s", youngest)
    call_command("restore", backup(), "--yes")
    assert f"brought to this version: admin.{youngest}" in capsys.readouterr().out
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations WHERE name = %s", [youngest])
        assert cursor.fetchone() == (1,)


def test_a_table_that_the_backup_does_not_know_goes(backup: Callable[..., Path]) -> None:
    copy = backup()
    run("CREATE TABLE of_a_later_version (id integer PRIMARY KEY)")
    call_command("restore", copy, "--yes")
    assert "of_a_later_version" not in connection.introspection.table_names()


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_a_damaged_backup_changes_nothing(operation: Operation, backup: Callable[..., Path], share: float) -> None:
    record(operation.id, [Line(f"line {number} of many") for number in range(3000)])
    copy = backup()
    whole = copy.read_bytes()
    copy.write_bytes(whole[: int(len(whole) * share)])
    before = everything()
    with pytest.raises(CommandError, match=r"damaged|failed: "):
        call_command("restore", copy, "--yes")
    assert everything() == before


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8\xff\xe0 no backup")
    with pytest.raises(CommandError, match="no backup that Slipway has made"):
        call_command("restore", tmp_path / "holiday.jpg", "--yes")
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("restore", tmp_path / "missing", "--yes")


def test_a_backup_of_another_kind_of_database_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    if connection.vendor == "postgresql":
        sqlite3.connect(other).execute("CREATE TABLE x (y)").connection.close()
    else:
        other.write_bytes(b"PGDMP\x01\x0f")
    with pytest.raises(CommandError, match="and this portal's database is"):
        call_command("restore", other, "--yes")


def test_a_database_that_somebody_holds_is_not_restored_into(operation: Operation, backup: Callable[..., Path]) -> None:
    copy, before = backup(), everything()
    holder = connection.copy()
    holder.set_autocommit(False)
    try:
        with holder.cursor() as cursor:
            cursor.execute("UPDATE deployments_operation SET fence = fence")
        with pytest.raises(BackupRefused, match="in use: stop web, workers and scheduler"):
            restore(copy, patience=0.3)
    finally:
        holder.rollback()
        holder.close()
    assert everything() == before
