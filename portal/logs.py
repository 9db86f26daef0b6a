"""How log lines look: one readable line, or one JSON object a line; every part of them redacted last of all.

A line carries what was bound while it was written: the run (`operation`), its `deployment` and `step` in a worker,
`request_id` and `user` in the web process.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from structlog import contextvars, processors, stdlib

from deployments.redaction import redact, redacted

log = logging.getLogger("slipway")

SHAPES = ("line", "json")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
#: Whole objects that others attach to their lines, and what other handlers leave: the message tells it all.
DROPPED = ("request", "server_time", "color_message", "message", "asctime")
#: They tell every request at INFO.
CHATTY = {"azure": "WARNING", "axes": "WARNING", "httpx": "WARNING", "rq.worker": "WARNING", "django.request": "ERROR"}

Event = MutableMapping[str, Any]


class Handler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to stderr. A line that cannot be written is not repeated raw, as the standard library would."""

    def handleError(self, record: logging.LogRecord) -> None:
        self.stream.write(f"A log line of {record.name} ({record.filename}:{record.lineno}) could not be written.\n")


def tell_what_ends_us() -> None:
    """A program that an error ends says so as it says everything else: in its shape, and redacted."""

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return sys.__excepthook__(kind, error, trace)
        return log.critical("An error ended this program", exc_info=(kind, error, trace))

    sys.excepthook = told
    threading.excepthook = lambda args: log.error(
        "An error ended the thread %s",
        args.thread.name if args.thread else "?",
        exc_info=(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback),
    )


def configuration(level: str, shape: str) -> dict[str, Any]:
    """Django's LOGGING for that level and shape."""
    level = level.upper()
    if shape not in SHAPES or level not in LEVELS:
        raise ImproperlyConfigured(
            f"LOG_FORMAT is {shape!r}, LOG_LEVEL {level!r}; they must be one of {', '.join(SHAPES)} and of"
            f" {', '.join(LEVELS)}."
        )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"shaped": {"()": formatter, "shape": shape}},
        "handlers": {"stderr": {"()": Handler, "formatter": "shaped"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": least} for name, least in CHATTY.items()},
    }


def formatter(shape: str) -> logging.Formatter:
    return stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            contextvars.merge_contextvars,
            stdlib.add_log_level,
            stdlib.add_logger_name,
            stdlib.ExtraAdder(),
            processors.TimeStamper(fmt="iso", utc=True, key="at"),
        ],
        processors=[
            stdlib.ProcessorFormatter.remove_processors_meta,
            processors.StackInfoRenderer(),
            processors.format_exc_info,
            masked,
            as_json if shape == "json" else as_line,
        ],
    )


def masked(_logger: Any, _method: str, event: Event) -> Event:
    """Everything as text or numbers without secrets: the message, the fields, the traceback."""
    plain: Event = redacted({name: value for name, value in event.items() if name not in DROPPED})
    return plain


def as_json(_logger: Any, _method: str, event: Event) -> str:
    first = {"at": "", "level": "", "logger": "", "event": ""}
    return json.dumps({**{name: event.get(name) for name in first}, **event}, ensure_ascii=False)


def as_line(_logger: Any, _method: str, event: Event) -> str:
    """`time LEVEL logger message name=value …`, and below it the traceback."""
    said = dict(event)
    head = [said.pop("at"), str(said.pop("level")).upper(), said.pop("logger"), said.pop("event")]
    below = [str(said.pop(name)) for name in ("stack", "exception") if said.get(name)]
    return redact("\n".join([" ".join([*map(str, head), *_fields(said)]), *below]))


def _fields(said: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in said.items() if value not in (None, "")]
