"""From whatever an Azure SDK raises to one of cloud.errors, by Azure's own error code."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cloud.azure import codes
from cloud.azure.codes import Meaning
from cloud.errors import RetryableError, SlipwayError, Unavailable

log = logging.getLogger(__name__)

LONGEST_QUOTE = 400
#: What taking apart an answer of another shape raises.
MISSHAPEN = (AttributeError, TypeError, LookupError, ValueError)
UNREADABLE = Meaning(Unavailable, "Azure's answer could not be read", "It is tried again by itself.")
UNREADABLE_SIGN_IN = Meaning(Unavailable, "Azure's sign-in did not answer properly", "It is tried again by itself.")
#: What is said where no way to sign in is set up at all.
NO_IDENTITY = re.compile(r"Attempted credentials|no managed identity|is unavailable|not configured", re.IGNORECASE)
SILENT = Meaning(Unavailable, "Azure could not be reached", "It is tried again by itself.")
CORRELATION_HEADERS = ("x-ms-correlation-request-id", "x-ms-request-id")


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what an SDK raises inside into an error of cloud.errors; `what` completes "We could not …"."""
    try:
        yield
    except SlipwayError:
        raise
    except Exception as exc:
        error = as_slipway(exc, what)
        if error is None:
            raise
        raise error from exc


def as_slipway(exc: Exception, what: str) -> SlipwayError | None:
    """The same failure in our words, or None for what is a bug of ours."""
    from azure.core import exceptions

    if isinstance(exc, exceptions.ClientAuthenticationError) and exc.response is None:
        return _sign_in_error(exc, what)
    if isinstance(exc, exceptions.HttpResponseError):
        return _answer_error(exc, what)
    if isinstance(exc, exceptions.ServiceRequestError | exceptions.ServiceResponseError):
        return _error(SILENT, what, Complaint(message=_first_line(exc)))
    if isinstance(exc, exceptions.AzureError | exceptions.DeserializationError | json.JSONDecodeError):
        return _error(UNREADABLE, what, Complaint(message=""))
    if isinstance(exc, MISSHAPEN):
        # Nothing but answers is taken apart in here, by us and by SDKs. Should it be a mistake of ours, the log has it.
        log.error("An answer of Azure's has another shape than it was promised to have", exc_info=exc)
        return _error(UNREADABLE, what, Complaint(message=""))
    return None


def error_code(exc: Exception) -> str:
    """Azure's outermost code of a failed answer, "" when its body has none."""
    known = read_complaint(_body(exc)).codes
    return known[0] if known else ""


def operation_error(error: Any, what: str, *, correlation_id: str = "") -> SlipwayError:
    """The typed error of an operation that was accepted and failed later; `error` is its `error` object."""
    complaint = read_complaint(error)
    meaning = _meaning(complaint, status=200)
    return _error(meaning or codes.INVALID, what, complaint, correlation_id=correlation_id)


@dataclass(slots=True)
class Complaint:
    """What an error body says, whichever of Azure's shapes it has."""

    message: str = ""
    codes: list[str] = field(default_factory=list)
    policy: str = ""


def read_complaint(body: Any) -> Complaint:
    """Collect codes from the outside in, details and inner errors included."""
    complaint = Complaint()
    if isinstance(body, dict):
        _collect(body.get("error") or body, complaint)
    return complaint


def _collect(node: Any, complaint: Complaint) -> None:
    if isinstance(node, str):
        complaint.codes.append(node)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("code"), str):
        complaint.codes.append(node["code"])
    message = node.get("message")
    if isinstance(message, str) and not complaint.message:
        complaint.message = message
    complaint.policy = complaint.policy or _policy_name(node)
    for inner in [node.get("innererror"), *_list(node.get("details"))]:
        _collect(inner, complaint)


def _policy_name(node: dict[str, Any]) -> str:
    for entry in _list(node.get("additionalInfo")):
        info = entry.get("info") if isinstance(entry, dict) else None
        if isinstance(info, dict) and isinstance(info.get("policyDefinitionDisplayName"), str):
            return str(info["policyDefinitionDisplayName"])
    return ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _answer_error(exc: Any, what: str) -> SlipwayError:
    status = int(exc.status_code or 0)
    complaint = read_complaint(_body(exc))
    headers = getattr(exc.response, "headers", None) or {}
    correlation = next((headers[name] for name in CORRELATION_HEADERS if name in headers), "")
    meaning = _meaning(complaint, status)
    if meaning is None:
        meaning = UNREADABLE if _unreadable(status, complaint) else codes.of_status(status)
    return _error(meaning, what, complaint, correlation_id=correlation, delay=retry_after(headers))


def _unreadable(status: int, complaint: Complaint) -> bool:
    """A success without sense, or a 404 which no part of Azure has signed: some proxy spoke."""
    return not complaint.codes and (status < 400 or status == 404)


def _meaning(complaint: Complaint, status: int) -> Meaning | None:
    if status == 429:
        return codes.THROTTLES
    if status == 401 and "expired" in complaint.message.lower():
        return codes.RUN_OUT  # a vault has no code for it
    if "OperationNotAllowed" in complaint.codes and "quota" in complaint.message.lower():
        return codes.QUOTA
    known = [codes.MEANINGS[code] for code in complaint.codes if code in codes.MEANINGS]
    # A code deep inside says why; one outside, such as OperationNotAllowed, often only that.
    precise = [meaning for meaning in known if meaning not in (codes.BUSY, codes.BROKEN)]
    return next(iter(precise or known), None)


def _sign_in_error(exc: Exception, what: str) -> SlipwayError:
    """Only with a code of Entra's own was the sign-in refused; without one Entra was not well, or not reached."""
    text = _all_words(exc)
    code, correlation = _found(r"AADSTS\d+", text), _found(r"(?<=Correlation ID: )[0-9a-f-]{36}", text)
    answered = bool(code) or NO_IDENTITY.search(text) is not None
    meaning = codes.MEANINGS.get(code, codes.BAD_TOKEN) if answered else UNREADABLE_SIGN_IN
    return _error(meaning, what, Complaint(codes=[code] if code else []), correlation_id=correlation)


def _all_words(exc: BaseException | None) -> str:
    """What the error says, and what those say that it came of: an SDK may keep Entra's answer to itself."""
    words: list[str] = []
    while exc is not None and len(words) < 10:
        words.append(str(exc))
        exc = exc.__cause__ or exc.__context__
    return "\n".join(words)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group() if found else ""


def _error(
    meaning: Meaning, what: str, complaint: Complaint, *, correlation_id: str = "", delay: float | None = None
) -> SlipwayError:
    why = f"{meaning.why} (“{complaint.policy}”)" if complaint.policy else meaning.why
    quote = " ".join(complaint.message.split())[:LONGEST_QUOTE]
    said = f" Azure said: “{quote}”" if quote else ""
    message = f"We could not {what}: {why}.{said}"
    code = _telling_code(complaint, meaning)
    if issubclass(meaning.error, RetryableError):
        patience = 20.0 if delay is None and meaning is codes.SPREADING else delay
        return meaning.error(message, meaning.remedy, code=code, correlation_id=correlation_id, delay=patience)
    return meaning.error(message, meaning.remedy, code=code, correlation_id=correlation_id)


def _telling_code(complaint: Complaint, meaning: Meaning) -> str:
    telling = [code for code in complaint.codes if codes.MEANINGS.get(code) == meaning]
    return (telling or complaint.codes or [""])[0]


def _body(exc: Any) -> Any:
    """The answer's JSON, or None; reading it must never be what fails."""
    try:
        return json.loads(exc.response.text())
    except Exception:
        return None


def retry_after(headers: Any) -> float | None:
    """Seconds that an answer asks us to wait, however it says so; None when it does not."""
    value = headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _first_line(exc: Exception) -> str:
    """Enough to tell a refused connection from an untrusted certificate, without addresses of memory."""
    text = re.sub(r"<[^>]*>:?\s*", "", str(exc)).strip()
    return text.splitlines()[0][:200] if text else ""
