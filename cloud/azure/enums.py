"""The SDKs hand out an enum where they know the word, and plain text where Azure has invented a new one."""

from enum import Enum
from typing import Any


def word(value: Any) -> str:
    """Azure's own word, "" for None."""
    return str(value.value if isinstance(value, Enum) else value or "")
