"""What this very process can see: settings, database, queue, signs of life, clocks, certificates, programs, disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import redis
from django.conf import settings
from django.core import checks
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from bootstrap import helm_binary
from cloud import reach
from cloud.errors import Unavailable
from deployments import heartbeat, metering, outside
from worker.doctor.findings import Finding, Look

MIB = 1024 * 1024
#: Room for Helm's scratch files and letters (MiB): below the first it soon stops, below the second look after it.
LEAST_ROOM, GOOD_ROOM = 16, 64
#: Clocks that differ by more seconds: worth mending, and harmful (leases are held for twelve, tokens forgive minutes).
SKEW, HARMFUL_SKEW = 2.0, 10.0
AZURE_SKEW, HARMFUL_AZURE_SKEW = 5.0, 120.0
#: A certificate is renewed so long before it runs out.
RENEWED = timedelta(days=14)
START_SCHEDULER = "Start it: `docker compose up -d scheduler`, or `manage.py sweep`."
START_WORKER = "Start one: `docker compose up -d worker`, or `manage.py work`."


def looks(now: Callable[[], datetime] = timezone.now) -> dict[str, Look]:
    """All looks by their part's name, in the order in which a person would mend what they find."""
    return {
        "settings": of_settings,
        "database": lambda: of_database(now),
        "queue": of_queue,
        "scheduler": of_scheduler,
        "workers": of_workers,
        "clock": lambda: of_clock(now),
        "address": lambda: of_address(now),
        "certificates": lambda: of_bundle(now),
        "helm": lambda: of_helm(Path(settings.HELM_BINARY)),
        "disk": lambda: of_disk(settings.SLIPWAY_HOME),
        "letters": of_letters,
    }


def of_settings() -> Iterator[Finding]:
    """As `manage.py check --deploy`; on one machine without TLS only what matters there."""
    found = checks.run_checks(include_deployment_checks=True)
    if settings.INSECURE_HTTP:
        yield Finding.note("settings", "Plain HTTP on this machine only (SLIPWAY_INSECURE_HTTP).")
        found = [message for message in found if message.level >= checks.ERROR]
    for message in found:
        tell = Finding.error if message.level >= checks.ERROR else Finding.warning
        yield tell("settings", f"{message.msg} ({message.id})", message.hint or "See docs/operating.md.")
    if not found:
        yield Finding.ok("settings", "Nothing is refused.")


def of_database(now: Callable[[], datetime]) -> Iterator[Finding]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT CURRENT_TIMESTAMP")
            told = cursor.fetchone()[0]
    except DatabaseError as error:
        yield Finding.error(
            "database", f"It does not answer: {error}", "Look whether it runs, and at DATABASE_URL and its password."
        )
        return
    yield from _of_schema()
    if connection.vendor == "sqlite" and not settings.INSECURE_HTTP:
        yield Finding.warning(
            "database", "It is SQLite, which serves one machine only.", "Set DATABASE_URL to postgres."
        )
    there = datetime.fromisoformat(told) if isinstance(told, str) else told
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    # SQLite tells whole seconds.
    yield from _skew(
        "database", abs((now() - there).total_seconds()) - 1.0, SKEW, HARMFUL_SKEW, "the database's machine"
    )


def _of_schema() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in missing[:3])
        yield Finding.error(
            "database", f"Its tables are older than this version ({names}).", "Run `manage.py migrate`."
        )
    else:
        yield Finding.ok("database", f"It answers ({connection.vendor}), and its tables are this version's.")


def _skew(part: str, seconds: float, some: float, harmful: float, whose: str) -> Iterator[Finding]:
    what = f"The clock here and that of {whose} differ by {max(seconds, 0.0):.0f} s."
    remedy = "Let both machines keep time by NTP (systemd-timesyncd, chrony)."
    if seconds > harmful:
        yield Finding.error(part, what, remedy)
    elif seconds > some:
        yield Finding.warning(part, what, remedy)


def of_queue() -> Iterator[Finding]:
    try:
        told = metering.connect().info()
    except (redis.RedisError, OSError) as error:
        yield Finding.error(
            "queue", f"Redis does not answer: {error}", "Look whether it runs, and at REDIS_URL and its password."
        )
        return
    yield Finding.ok("queue", f"Redis {told.get('redis_version', '?')} answers.")
    if told.get("maxmemory") and told.get("maxmemory_policy") != "noeviction":
        yield Finding.warning(
            "queue", "When it is full it throws away what waits.", "Set its maxmemory-policy to noeviction."
        )
    if not told.get("aof_enabled"):
        yield Finding.note("queue", "It forgets everything when it stops; that costs seconds, never data.")


def of_scheduler() -> Iterator[Finding]:
    try:
        beats = heartbeat.schedulers()
    except (redis.RedisError, OSError):
        yield Finding.error("scheduler", "Nobody knows whether it lives: it tells that to Redis.", "Mend Redis first.")
        return
    alive = [beat for beat in beats if beat.alive]
    if not alive:
        last = f" It was last heard of {beats[0].ago:.0f} s ago, on {beats[0].host}." if beats else ""
        yield Finding.error("scheduler", f"No scheduler is alive.{last}", START_SCHEDULER)
    elif len(alive) > 1:
        names = ", ".join(beat.who for beat in alive)
        yield Finding.warning("scheduler", f"{len(alive)} are alive: {names}.", "Stop all but one.")
    else:
        yield Finding.ok("scheduler", f"One is alive, on {alive[0].host}.")


def of_workers() -> Iterator[Finding]:
    try:
        alive = heartbeat.workers()
    except (redis.RedisError, OSError):
        yield Finding.error("workers", "Nobody knows whether any lives: they tell that to Redis.", "Mend Redis first.")
        return
    if not alive:
        yield Finding.error("workers", "No worker is alive: nothing is built or taken down.", START_WORKER)
    else:
        hosts = ", ".join(sorted({worker.hostname or "?" for worker in alive}))
        yield Finding.ok("workers", f"{len(alive)} alive, on {hosts}.")


def of_clock(now: Callable[[], datetime]) -> Iterator[Finding]:
    try:
        there = reach.azures_clock(outside.profile())
    except Unavailable as error:
        remedy = "Look at the network, at HTTPS_PROXY and NO_PROXY, and whether AZURE_CLOUD is the right one."
        yield Finding.error("clock", error.user_message, remedy)
        return
    found = list(_skew("clock", abs((now() - there).total_seconds()), AZURE_SKEW, HARMFUL_AZURE_SKEW, "Azure"))
    yield from found or [Finding.ok("clock", "It agrees with Azure's.")]


def of_address(now: Callable[[], datetime]) -> Iterator[Finding]:
    """As a visitor comes: the certificate, and whether the proxy says that they came by TLS."""
    address = settings.SLIPWAY_ADDRESS
    if urlsplit(address).scheme != "https":
        if settings.INSECURE_HTTP:
            yield Finding.note("address", f"{address} has no certificate to look at.")
        return  # otherwise the settings are refused already
    try:
        shown = reach.certificate(address)
    except Unavailable as error:
        yield Finding.warning("address", error.user_message, "Look whether its name resolves and the proxy runs.")
        return
    if shown.distrust or shown.expires is None:
        yield Finding.error(
            "address",
            f"Browsers do not trust the certificate of {address}: {shown.distrust}.",
            "Give the proxy a certificate for this name (PROXY_TLS), and renew it in time.",
        )
        return
    yield from _expiry("address", f"The certificate of {address}", shown.expires - now())
    if reach.status(urljoin(address, "sign-in/")) in (301, 302, 307, 308):
        yield Finding.error(
            "address",
            "The proxy sends https visitors on to https, for ever: it does not say that they came by TLS.",
            "Let it set X-Forwarded-Proto, and set BEHIND_TLS_PROXY=1.",
        )


def _expiry(part: str, what: str, left: timedelta) -> Iterator[Finding]:
    if left < timedelta(0):
        yield Finding.error(part, f"{what} has run out.", "Renew it now.")
    elif left < RENEWED:
        yield Finding.warning(
            part, f"{what} runs out in {left.days} days.", "Find out why it was not renewed by itself."
        )
    else:
        yield Finding.ok(part, f"{what} is good for {left.days} days.")


def of_bundle(now: Callable[[], datetime]) -> Iterator[Finding]:
    path = outside.profile().ca_bundle
    if not path:
        yield Finding.ok("certificates", "Azure is trusted by the system's own authorities.")
        return
    try:
        expires = reach.bundle_expiry(path)
    except OSError as error:
        remedy = "Name a file of PEM certificates in the profile, or none."
        yield Finding.error("certificates", f"The authorities in {path} cannot be read: {error}.", remedy)
        return
    yield from _expiry("certificates", f"The authority in {path}", expires - now())


def of_helm(path: Path) -> Iterator[Finding]:
    if not path.is_file():
        remedy = "Run `make helm`, or set HELM_BINARY to where it is."
        yield Finding.error("helm", f"There is no Helm at {path}.", remedy)
    elif helm_binary.digest(path) != helm_binary.SHA256:
        yield Finding.error(
            "helm",
            f"{path} is not the Helm {helm_binary.VERSION} that Slipway trusts: its SHA-256 differs.",
            "Remove it and fetch it again: `make helm`, or build the image anew.",
        )
    else:
        yield Finding.ok("helm", f"{helm_binary.VERSION}, with the SHA-256 that is pinned.")


def of_disk(folder: Path, room: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free) -> Iterator[Finding]:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = room(there) // MIB
    remedy = "Make some room, or give the container's /var/lib/slipway more."
    if free < LEAST_ROOM:
        yield Finding.error("disk", f"{folder} has {free} MiB left: Helm soon cannot work.", remedy)
    elif free < GOOD_ROOM:
        yield Finding.warning("disk", f"{folder} has {free} MiB left.", remedy)
    else:
        yield Finding.ok("disk", f"{folder} has {free} MiB left.")


def of_letters() -> Iterator[Finding]:
    if not settings.EMAIL_HOST:
        yield Finding.note("letters", f"No mail server: letters become files in {settings.EMAIL_FILE_PATH}.")
        return
    server = get_connection()
    try:
        server.open()
        server.close()
    except OSError as error:  # SMTPException is one
        yield Finding.error(
            "letters",
            f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} does not take letters: {error}",
            "Look at EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_HOST_USER and its password.",
        )
    else:
        yield Finding.ok("letters", f"{settings.EMAIL_HOST} takes letters.")
