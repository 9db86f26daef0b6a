"""What a look tells."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self
from uuid import uuid4

from django.core.exceptions import ImproperlyConfigured

from cloud.errors import SlipwayError
from deployments.redaction import redact

log = logging.getLogger(__name__)

Level = Literal["ok", "note", "warning", "error"]
Look = Callable[[], Iterator["Finding"]]


@dataclass(frozen=True)
class Finding:
    """One thing looked at: a warning should be mended some day, an error now."""

    part: str
    level: Level
    what: str
    remedy: str = ""

    @classmethod
    def ok(cls, part: str, what: str) -> Self:
        return cls(part, "ok", what)

    @classmethod
    def note(cls, part: str, what: str) -> Self:
        return cls(part, "note", what)

    @classmethod
    def warning(cls, part: str, what: str, remedy: str) -> Self:
        return cls(part, "warning", redact(what), redact(remedy))

    @classmethod
    def error(cls, part: str, what: str, remedy: str) -> Self:
        return cls(part, "error", redact(what), redact(remedy))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def looked(part: str, look: Look) -> list[Finding]:
    """What the look finds; a look that fails is a finding too, and keeps no other from being taken."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except SlipwayError as error:
        found.append(Finding.error(part, error.user_message, error.remedy or "See the log."))
    except ImproperlyConfigured as error:
        found.append(Finding.error(part, str(error), "docs/operating.md has every setting."))
    except Exception:
        reference = uuid4().hex[:8]
        log.exception("Looking at %s failed, reference %s", part, reference)
        found.append(Finding.error(part, "This could not be looked at.", f"The log says why: reference {reference}."))
    return found
