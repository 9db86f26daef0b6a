"""One clear sentence instead of a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable


class Refusal(Exception):
    """Something outside the program is in the way; the text says what, and what to do about it."""


def speak(action: Callable[[], int]) -> int:
    """Runs the action; a refusal becomes its sentence on stderr and status 1."""
    try:
        return action()
    except Refusal as refusal:
        sys.stderr.write(f"\n{refusal}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
