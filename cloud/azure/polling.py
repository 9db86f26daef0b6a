"""Azure's long-running operations, one look at a time. Imports the SDK: import it only where it is used."""

import json
from collections.abc import Callable
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.polling.base_polling import BadResponse, BadStatus
from azure.mgmt.core.polling.arm_polling import ARMPolling

from cloud.azure.operations import Change, TokenLost
from cloud.azure.translate import error_code, operation_error
from cloud.errors import SlipwayError


class StepPolling(ARMPolling):
    """A poller without a loop: `look` asks once."""

    def __init__(self) -> None:
        super().__init__(timeout=0)

    def run(self) -> None:
        """Do not wait: the SDK calls this as soon as the operation has started."""

    def look(self) -> str:
        """Ask Azure once, unless the operation is known to be over; returns Azure's word for where it stands."""
        if not self.finished():
            try:
                self.update_status()
            except (BadStatus, BadResponse) as exc:
                raise HttpResponseError(response=self.last_answer, error=exc) from exc
        return str(self.status()).lower()

    @property
    def last_answer(self) -> Any:
        return self._pipeline_response.http_response


def look(resume: Callable[[StepPolling, str], object], sdk_token: str, what: str) -> Change:
    """Resume an operation from its token and look at it once; raises TokenLost when that cannot be done."""
    poller = StepPolling()
    try:
        resume(poller, sdk_token)
        state = poller.look()
    except HttpResponseError as exc:
        if exc.status_code in {404, 410} and error_code(exc):
            raise TokenLost from exc
        raise
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        raise TokenLost from exc
    if state in {"failed", "canceled", "cancelled"}:
        return Change("failed", _failure(poller.last_answer, what))
    return Change("succeeded" if state == "succeeded" else "running")


def _failure(answer: Any, what: str) -> SlipwayError:
    try:
        body = json.loads(answer.text())
    except ValueError:
        body = None
    correlation = answer.headers.get("x-ms-correlation-request-id") or answer.headers.get("x-ms-request-id") or ""
    return operation_error(body, what, correlation_id=correlation)
