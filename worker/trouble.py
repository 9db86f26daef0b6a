"""What goes wrong on our own side of the wire, and how a trouble that did not pass is told."""

from __future__ import annotations

import errno

from cloud.errors import PermanentError, RetryableError, SlipwayError, Unavailable

#: What the kernel says where nothing more can be stored.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def of_this_machine(error: Exception) -> RetryableError | None:
    """The trouble behind an exception that no step is to blame for, or None."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        message = "The disk of the machine that Slipway runs on is full."
        return Unavailable(message, "It goes on by itself once the people who run this portal have made room.")
    return None


def gave_up(error: SlipwayError) -> SlipwayError:
    """The same trouble once nobody tries any more: what it says of being tried again is true no longer."""
    if not isinstance(error, RetryableError):
        return error
    return PermanentError(
        error.user_message,
        "Try again in a while. If it goes on, tell the people who run this portal.",
        code=error.code,
        correlation_id=error.correlation_id,
    )
