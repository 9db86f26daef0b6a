"""Fills a PostgreSQL with a portal's long past: `python -m bench.past HUBS EVENTS`, in a web process's environment.

The rows are made inside the server, from series of numbers; what a column is not told here is its field's default. The
catalogue must be filled: hubs stand where Azure, the simulated one, has room. Prints JSON: ids to look at.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django

#: Of a hundred hubs so many are in each place of their life; the rest is ready.
LIFE = {"deleted": 25, "requested": 3, "rejected": 3, "stopped": 5, "provisioning": 2}
OWNERS = 500
RUNS = 3
#: One hub has been tried over and over, and one run has said more than any other.
BUSY_RUNS, LONG_LOG = 300, 100_000
STEPS = 12
#: Looks after each hub: a day's; after a few, all that is kept.
LOOKS, ALL_LOOKS, LOOKED_AFTER = 288, 8640, 40

HUB, RUN = "md5('hub' || n)::uuid", "md5('run' || n || '-' || r)::uuid"
HUBS = "deployments_deployment"
APPROVED = "d.lifecycle NOT IN ('requested', 'rejected')"


def main(hubs: int, events: int) -> None:
    django.setup()
    people()
    requests(hubs)
    descriptions()
    decisions()
    belongings()
    runs(hubs)
    lines(events)
    looks()
    execute("VACUUM ANALYZE")  # what autovacuum does within minutes in a real life
    print(json.dumps(ids()))


def execute(sql: str, values: list[Any] | None = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def insert(model: Any, rows: str, **columns: str) -> None:
    """One INSERT of the rows that the SQL `rows` gives; `columns` are SQL too, with `%%` for a percent sign."""
    from django.db import connection

    names, values, defaults = [], [], []
    for field in model._meta.local_concrete_fields:
        if field.column not in columns and field.primary_key:
            continue
        names.append(connection.ops.quote_name(field.column))
        values.append(columns.get(field.column, "%s"))
        if field.column not in columns:
            defaults.append(field.get_db_prep_save(field.get_default(), connection))
    execute(f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {rows}", defaults)


def people() -> None:
    from accounts.models import User

    insert(
        User,
        f"generate_series(1, {OWNERS}) n",
        username="'person-' || n",
        first_name="(array['Ada', 'Emmy', 'Grace', 'Mary', 'Rosalind'])[1 + n %% 5]",
        last_name="'Number' || n",
        password="'!'",
        email="'person-' || n || '@example.org'",
    )


def requests(hubs: int) -> None:
    """Hubs, each somewhere in its life; the demo's researcher owns every fiftieth."""
    from accounts.models import User
    from deployments.models import Deployment

    researcher, first = (User.objects.get(username=name).pk for name in ("researcher", "person-1"))
    insert(
        Deployment,
        f"generate_series(1, {hubs}) n",
        id=HUB,
        owner_id=f"CASE WHEN n %% 50 = 0 THEN {researcher} ELSE {first} + n %% {OWNERS} END",
        name="'hub-' || n",
        lifecycle=_lifecycle(),
        health="CASE WHEN n %% 17 = 0 THEN 'unhealthy' ELSE 'healthy' END",
        last_outcome="'succeeded'",
        address="'https://hub-' || n || '.example.org/'",
        monthly_cost="100 + n %% 400",
        keep_until="current_date + 10 + (n %% 180)::int",
        created_at=f"now() - interval '2 years' * (1 - n / ({hubs} + 1.0))",
        ready_at=f"now() - interval '2 years' * (1 - n / ({hubs} + 1.0)) + interval '6 minutes'",
        gone_at="now() - interval '1 day'",
        health_due_at="now() + interval '1 hour'",
    )


def descriptions() -> None:
    """What each hub was asked to be, which those that were approved serve."""
    from accounts.models import User
    from deployments import demo
    from deployments.models import SpecRevision

    researcher = User.objects.get(username="researcher")
    spec = json.dumps(demo.choose(researcher, "slipwaydemo").to_json()).replace("'", "''").replace("%", "%%")
    insert(
        SpecRevision,
        f"{HUBS} d",
        deployment_id="d.id",
        number="1",
        data=f"'{spec}'::jsonb || jsonb_build_object('name', d.name)",
        author_id="d.owner_id",
        created_at="d.created_at",
    )
    execute(
        f"UPDATE {HUBS} d SET serving_id = v.id FROM deployments_specrevision v"
        f" WHERE v.deployment_id = d.id AND {APPROVED}"
    )


def decisions() -> None:
    """On everything that does not wait any more."""
    from accounts.models import User
    from deployments.models import Review

    admin = User.objects.get(username="admin")
    insert(
        Review,
        f"deployments_specrevision v JOIN {HUBS} d ON d.id = v.deployment_id WHERE d.lifecycle <> 'requested'",
        revision_id="v.id",
        reviewer_id=str(admin.pk),
        approved="d.lifecycle <> 'rejected'",
        at="v.created_at + interval '1 hour'",
    )


def _lifecycle() -> str:
    """Spread evenly: 37 and 100 have no common divisor."""
    upto, cases = 0, []
    for name, share in LIFE.items():
        upto += share
        cases.append(f"WHEN n * 37 %% 100 < {upto} THEN '{name}'")
    return f"CASE {' '.join(cases)} ELSE 'ready' END"


def belongings() -> None:
    """Each hub's secrets, what was made for it outside, and for some a change that waits for a reviewer."""
    from deployments.models import Resource, SecretRef, SpecRevision

    insert(
        SecretRef,
        f"{HUBS} d CROSS JOIN (VALUES ('docker-token'), ('github-secret')) p (purpose)",
        deployment_id="d.id",
        purpose="p.purpose",
        vault_name="d.id || '-' || p.purpose",
        version="md5(d.name)",
        state="CASE WHEN d.lifecycle IN ('deleted', 'rejected') THEN 'purged' ELSE 'stored' END",
        set_by_id="d.owner_id",
    )
    kinds = "'resource group', 'cluster', 'node pool', 'address', 'release', 'role'"
    insert(
        Resource,
        f"{HUBS} d CROSS JOIN unnest(ARRAY[{kinds}]) k WHERE {APPROVED}",
        deployment_id="d.id",
        kind="k",
        cloud_id="'/things/' || d.id || '/' || k",
        name="d.name",
        gone_at="CASE WHEN d.lifecycle = 'deleted' THEN d.gone_at END",
    )
    insert(
        SpecRevision,
        f"(SELECT * FROM {HUBS} WHERE lifecycle = 'ready' ORDER BY id LIMIT {LOOKED_AFTER}) d"
        " JOIN deployments_specrevision v ON v.deployment_id = d.id",
        deployment_id="d.id",
        number="2",
        data="v.data",
        author_id="d.owner_id",
        needs_review="true",
    )


def runs(hubs: int) -> None:
    """A build and some tries for each hub that was approved; what was done to one that is being built has failed."""
    from deployments.models import Operation, StepRun

    begun = "d.created_at + (now() - d.created_at) * (r - 1) / 400.0"
    insert(
        Operation,
        f"generate_series(1, {hubs}) n"
        f" CROSS JOIN LATERAL generate_series(1, CASE WHEN n = {hubs} - 1 THEN {BUSY_RUNS} ELSE {RUNS} END) r"
        f" JOIN {HUBS} d ON d.id = {HUB} WHERE {APPROVED}",
        id=RUN,
        deployment_id="d.id",
        revision_id="d.serving_id",
        kind="CASE WHEN r = 1 THEN 'provision' ELSE 'try-launch' END",
        status="CASE WHEN d.lifecycle = 'provisioning' THEN 'failed' ELSE 'succeeded' END",
        requested_by_id="d.owner_id",
        created_at=begun,
        started_at=begun,
        finished_at=f"{begun} + interval '6 minutes'",
    )
    insert(
        StepRun,
        f"deployments_operation o CROSS JOIN generate_series(1, {STEPS}) s",
        operation_id="o.id",
        name="'step-' || s",
        title="'Step ' || s",
        position="s",
        state="'done'",
        summary="'3 of 3 parts of it are ready'",
        expected_seconds="30",
        started_at="o.started_at",
        finished_at="o.finished_at",
    )


def lines(events: int) -> None:
    """The log of each run, some 90 characters a line, written one after the other as life would."""
    from deployments.models import Event, Operation

    each, rest = divmod(events - LONG_LOG, Operation.objects.count())
    longest = "(SELECT id FROM deployments_operation WHERE status = 'succeeded' ORDER BY created_at LIMIT 1)"
    insert(
        Event,
        "(SELECT * FROM deployments_operation ORDER BY created_at, id) o CROSS JOIN LATERAL generate_series(1,"
        f" {each} + CASE WHEN o.id = {longest} THEN {LONG_LOG + rest} ELSE 0 END) e",
        operation_id="o.id",
        number="e",
        at=f"o.started_at + interval '6 minutes' * e / {each}.0",
        level="CASE WHEN e %% 40 = 0 THEN 'warning' ELSE 'info' END",
        step=f"'step-' || 1 + e %% {STEPS}",
        message="'Line ' || e || ': ' || md5(e::text) || ' was seen and ' || md5((e * 7)::text) || ' is ready'",
    )
    execute(
        "UPDATE deployments_operation o SET event_count = e.count FROM"
        " (SELECT operation_id, count(*) FROM deployments_event GROUP BY 1) e WHERE e.operation_id = o.id"
    )


def looks() -> None:
    """In the order of time, as they come: those of one hub lie far apart."""
    from deployments.models import HealthCheck

    every = f"row_number() OVER (ORDER BY created_at DESC) <= {LOOKED_AFTER}"
    insert(
        HealthCheck,
        f"(SELECT *, CASE WHEN {every} THEN {ALL_LOOKS} ELSE {LOOKS} END AS looks FROM {HUBS}"
        f" WHERE lifecycle = 'ready') d JOIN generate_series(1, {ALL_LOOKS}) k ON k <= d.looks ORDER BY k DESC",
        deployment_id="d.id",
        at="now() - interval '5 minutes' * k",
        health="CASE WHEN k %% 97 = 0 THEN 'unhealthy' ELSE 'healthy' END",
    )


def ids() -> dict[str, Any]:
    """Hubs and runs to look at: the newest that serve (with all their looks), the busiest, the longest log."""
    from django.db.models import Count

    from deployments.models import Deployment, Operation

    def some(found: Any) -> list[str]:
        return [str(each) for each in found.values_list("id", flat=True)[:LOOKED_AFTER]]

    hubs, ready = Deployment.objects, Deployment.objects.filter(lifecycle="ready")
    counted = Operation.objects.order_by().values("deployment").annotate(count=Count("id")).order_by("-count")
    return {
        "ready": some(ready),
        "others": some(hubs.exclude(lifecycle__in=["ready", "requested"]).order_by("id")),
        "requests": some(hubs.filter(lifecycle="requested")),
        "changes": some(hubs.filter(revisions__needs_review=True)),
        "logs": some(Operation.objects.filter(deployment__in=some(ready))),
        "longest": some(Operation.objects.order_by("-event_count"))[0],
        "busiest": str(counted[0]["deployment"]),
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
