"""Reads settings from the environment; a secret may come as `NAME_FILE`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """The value of NAME, else the content of the file NAME_FILE, else the default; fails loudly without one.

    NAME set to nothing leaves the file its say: compose passes on variables that nobody has set.
    """
    if os.environ.get(name):
        return os.environ[name]
    if path := os.environ.get(f"{name}_FILE"):
        return _content(name, Path(path))
    if name in os.environ:
        return ""
    if default is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE) in the environment; see docs/operating.md.")
    return default


def _content(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {reason}.") from None


def number(name: str, default: str) -> float:
    value = text(name, default)
    try:
        return float(value or default)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a number.") from None


def flag(name: str, default: bool = False) -> bool:
    return text(name, "1" if default else "0").lower() in ("1", "true", "on", "yes")


def items(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


#: Who does nothing for so long (seconds) in the middle of a transaction was stopped there, or its machine is lost:
#: PostgreSQL gives the rows free that it has locked, before a worker's lease on a run has been out for long.
FROZEN = 10


def database(url: str, pool: int = 0) -> dict[str, Any]:
    """Django's settings for `sqlite:///path` or `postgres://user:password@host:port/name`.

    At most `pool` connections to PostgreSQL are kept for the requests that come next; with 0 each makes its own.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(parts.path.removeprefix("/"))  # three slashes: relative; four: absolute
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL starts with {parts.scheme!r}; it must be sqlite or postgres.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or "") or text("DATABASE_PASSWORD", ""),
        "HOST": _host(parts),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": bool(pool),
        "OPTIONS": {"options": f"-c idle_in_transaction_session_timeout={FROZEN}s", **(_pool(pool) if pool else {})},
    }


def _pool(most: int) -> dict[str, Any]:
    """A new connection costs several milliseconds, and its first statements more than later ones.

    Each is tried before it is used, so that a PostgreSQL that was started anew is met by new ones; while it is away,
    nobody waits for long, and the next request tries again.
    """
    pool: dict[str, Any] = {"min_size": 1, "max_size": most, "max_idle": 60, "timeout": 10, "reconnect_timeout": 2}
    return {"pool": pool}


def _host(parts: SplitResult) -> str:
    """A name, an address, or the folder of a socket (`%2Frun%2Fpostgresql`), whose letters keep their case."""
    host = parts.netloc.rpartition("@")[2]
    return unquote(host.removesuffix(f":{parts.port}").strip("[]"))


def _sqlite(path: str) -> dict[str, Any]:
    # IMMEDIATE: a transaction that will write takes the lock at its start, so it can wait instead of failing late.
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-4000;",
        },
    }
