"""Long-running operations of Azure, moved on one look at a time: any process may take the next look.

The SDK's pollers wait in a loop and lose everything with their process. Here an operation is a token of text.
"""

import json
from dataclasses import dataclass
from typing import Literal

from cloud.errors import SlipwayError

Kind = Literal["create", "delete", "abort", "stop", "start"]
KINDS = frozenset({"create", "delete", "abort", "stop", "start"})


@dataclass(frozen=True, slots=True)
class Change:
    """How a change we started is getting on; `error` is set when it failed."""

    state: Literal["running", "succeeded", "failed"]
    error: SlipwayError | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a later process needs to follow a change: which, of what, and the SDK's own token (9–20 kB of text)."""

    kind: Kind
    group: str
    name: str
    sdk_token: str

    def encode(self) -> str:
        return json.dumps([self.kind, self.group, self.name, self.sdk_token])

    @classmethod
    def decode(cls, text: str) -> "Ticket | None":
        """None for a token that we cannot have written."""
        try:
            kind, group, name, sdk_token = json.loads(text)
        except (ValueError, TypeError):
            return None
        return cls(kind, group, name, sdk_token) if kind in KINDS else None


class TokenLost(Exception):
    """Azure no longer knows the operation, or the token is broken: look at the thing itself."""
