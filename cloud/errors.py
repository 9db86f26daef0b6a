"""Every way the outside world can fail, as a type that says what to do about it.

`user_message` says what happened and why, `remedy` what to do next; both are read by people who never saw Kubernetes.
Whether to try again is in the type, when to try again is in `delay`; how often is the engine's business alone.
"""


class SlipwayError(Exception):
    """Something a person must be told, in words they can act on."""

    def __init__(self, user_message: str, remedy: str = "", *, code: str = "", correlation_id: str = "") -> None:
        super().__init__(user_message)
        self.user_message = user_message
        self.remedy = remedy
        self.code = code
        self.correlation_id = correlation_id

    def __str__(self) -> str:
        facts = [f"code {self.code}" if self.code else "", f"Azure's reference {self.correlation_id}"]
        known = [fact for fact in facts if fact and not fact.endswith(" ")]
        told = " ".join(part for part in (self.user_message, self.remedy) if part)
        return f"{told} ({', '.join(known)})" if known else told


class RetryableError(SlipwayError):
    """May well work later without anybody changing anything; `delay` in seconds when the other side named one."""

    def __init__(
        self,
        user_message: str,
        remedy: str = "",
        *,
        code: str = "",
        correlation_id: str = "",
        delay: float | None = None,
    ) -> None:
        super().__init__(user_message, remedy, code=code, correlation_id=correlation_id)
        self.delay = delay


class Throttled(RetryableError):
    """We ask too often; the other side wants us to slow down."""


class Queued(Throttled):
    """We have not even asked: others have their turn first. `delay` is exactly when ours comes."""


class Unavailable(RetryableError):
    """Nobody answered, or the answer was broken."""


class NotYet(RetryableError):
    """It is on its way: rights that spread, a lock that is held, a thing still being deleted."""


class PermanentError(SlipwayError):
    """Will fail the same way until somebody changes something."""


class QuotaExceeded(PermanentError):
    """The subscription may not use that much."""


class PermissionDenied(PermanentError):
    """Known to the other side, but not allowed to do this."""


class NameTaken(PermanentError):
    """Somebody else has the name, or a deleted thing still holds it."""


class InvalidRequest(PermanentError):
    """The other side does not accept what was asked for."""


class PolicyDenied(PermanentError):
    """A rule of the organisation forbids it."""


class SignInFailed(PermanentError):
    """The other side does not know us, or not with this secret."""


class NotOurs(PermanentError):
    """It exists, but it does not carry our mark: hands off."""


class Conflict(PermanentError):
    """It is already there, or somebody changed it in the meantime."""
