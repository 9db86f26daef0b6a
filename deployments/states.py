"""Statuses with their label, colour and finality, and the moves that are legal. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self, cast


@dataclass(frozen=True)
class Look:
    """How a status is shown: words, a colour name of the style sheet, and whether it can still change."""

    label: str
    colour: str
    final: bool = False


class Status(StrEnum):
    """A status whose look stands beside its value."""

    look: Look

    def __new__(cls, value: str, label: str, colour: str, final: bool = False) -> Status:
        member = str.__new__(cls, value)
        member._value_ = value
        member.look = Look(label, colour, final)
        return member

    @property
    def label(self) -> str:
        return self.look.label

    @classmethod
    def of(cls, value: str) -> Self:
        """The member with this value, as the database has it."""
        return cast(Self, cls._value2member_map_[value])

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(member.value, member.look.label) for member in cls]


class Lifecycle(Status):
    """Where a deployment is in its life."""

    REQUESTED = "requested", "Waiting for review", "amber"
    REJECTED = "rejected", "Not approved", "red", True
    PROVISIONING = "provisioning", "Being built", "blue"
    READY = "ready", "Ready", "green"
    STOPPED = "stopped", "Stopped", "grey"
    DELETING = "deleting", "Being taken down", "blue"
    DELETED = "deleted", "Gone", "grey", True


class Health(Status):
    """Whether a hub serves."""

    UNKNOWN = "unknown", "Not checked yet", "grey"
    HEALTHY = "healthy", "Healthy", "green"
    UNHEALTHY = "unhealthy", "Not answering", "red"


class CertificateState(Status):
    """What browsers make of the certificate that a hub shows."""

    VALID = "ok", "Valid", "green"
    ENDING = "ending", "Ends soon", "amber"
    ENDED = "expired", "Has ended", "red"
    OTHER_NAME = "wrong-name", "For another name", "red"
    UNTRUSTED = "not-trusted", "Not trusted by browsers", "red"
    UNSEEN = "unreachable", "Could not be seen", "grey"


class Outcome(Status):
    """How the last operation ended."""

    NONE = "none", "", "grey"
    SUCCEEDED = "succeeded", "Succeeded", "green"
    FAILED = "failed", "Failed", "red"
    ROLLED_BACK = "rolled-back", "Failed, and put back as it was", "amber"
    CANCELLED = "cancelled", "Cancelled", "amber"


class OperationKind(Status):
    """What is being done to a deployment."""

    PROVISION = "provision", "Build", "blue"
    CHANGE = "change", "Change", "blue"
    ROTATE = "rotate", "New secrets", "blue"
    STOP = "stop", "Stop", "blue"
    START = "start", "Start", "blue"
    TRY_LAUNCH = "try-launch", "Try a launch", "blue"
    MEND = "mend", "Put back as described", "blue"
    TEARDOWN = "teardown", "Take down", "blue"
    CLEAN_UP = "clean-up", "Remove what was left", "blue"
    FORGET = "forget", "Forget", "grey"


#: What ends in a receipt: half of it may be gone already, so it goes on to its end.
ENDINGS = (OperationKind.TEARDOWN, OperationKind.CLEAN_UP)


class OperationStatus(Status):
    """WAITING operations start when the running one has stopped; at most one of a deployment is RUNNING."""

    WAITING = "waiting", "Waiting its turn", "grey"
    RUNNING = "running", "Running", "blue"
    SUCCEEDED = "succeeded", "Done", "green", True
    FAILED = "failed", "Failed", "red", True
    CANCELLED = "cancelled", "Cancelled", "amber", True


class StepState(Status):
    """Where one step of an operation is."""

    PENDING = "pending", "Waiting", "grey"
    WORKING = "working", "Working", "blue"
    DONE = "done", "Done", "green", True
    FAILED = "failed", "Failed", "red", True
    STOPPED = "stopped", "Stopped", "amber", True


class SecretState(Status):
    """PENDING is committed before the vault is asked, so that nothing in the vault is ever unknown here."""

    PENDING = "pending", "Being stored", "grey"
    STORED = "stored", "In the vault", "green"
    PURGED = "purged", "Purged", "grey", True
    RECOVERABLE = "recoverable", "Deleted, recoverable for a while", "amber", True


class DiscrepancyKind(Status):
    """How the cloud and our records differ."""

    LEFT_OVER = "left-over", "Left over", "amber"
    GONE = "gone", "Gone from the cloud", "red"
    DRIFTED = "drifted", "Changed by hand", "amber"


class Level(Status):
    """How much an event matters."""

    INFO = "info", "", "grey"
    SUCCESS = "success", "Done", "green"
    WARNING = "warning", "Warning", "amber"
    ERROR = "error", "Error", "red"


#: lifecycle → the lifecycles it may become. Teardown is possible from everything that is not gone; a hub whose cloud
#: somebody has removed is built again.
MOVES: dict[Lifecycle, frozenset[Lifecycle]] = {
    Lifecycle.REQUESTED: frozenset({Lifecycle.REJECTED, Lifecycle.PROVISIONING, Lifecycle.DELETING}),
    Lifecycle.REJECTED: frozenset(),
    Lifecycle.PROVISIONING: frozenset({Lifecycle.READY, Lifecycle.DELETING}),
    Lifecycle.READY: frozenset({Lifecycle.STOPPED, Lifecycle.PROVISIONING, Lifecycle.DELETING}),
    Lifecycle.STOPPED: frozenset({Lifecycle.READY, Lifecycle.PROVISIONING, Lifecycle.DELETING}),
    Lifecycle.DELETING: frozenset({Lifecycle.DELETED}),
    Lifecycle.DELETED: frozenset(),
}


def sources(target: Lifecycle) -> list[str]:
    """The lifecycles from which `target` may be reached: the condition of the UPDATE that moves there."""
    return [source.value for source, targets in MOVES.items() if target in targets]
