"""The certificate that an address shows, met as a browser meets it."""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import httpx

from cloud import web

State = Literal["ok", "not-trusted", "wrong-name", "expired", "unreachable"]
PATIENCE = httpx.Timeout(8.0, connect=5.0)
#: OpenSSL's numbers for why it does not accept a certificate.
REASONS: Mapping[int, State] = {10: "expired", 62: "wrong-name", 64: "wrong-name"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was shown. Until when and by whom are known of one that is accepted; `why` says what is wrong with it."""

    state: State
    until: datetime | None = None
    issuer: str = ""
    why: str = ""


def look(address: str, ca_bundle: str | None = None) -> Certificate:
    """The certificate at an address that begins with https://. Never raises: no answer is a state too."""
    try:
        with web.client(address, ca_bundle=ca_bundle, timeout=PATIENCE) as http, http.stream("HEAD", address) as answer:
            shown = answer.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
    except (httpx.TransportError, httpx.InvalidURL) as error:
        refused = next(_refusals(error), None)
        if refused is None:
            return Certificate("unreachable", why=type(error).__name__)
        return Certificate(REASONS.get(refused.verify_code, "not-trusted"), why=refused.verify_message)
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
    return Certificate("ok", until, _issuer(shown))


def _refusals(error: BaseException | None) -> Iterator[ssl.SSLCertVerificationError]:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            yield error
        error = error.__cause__ or error.__context__


def _issuer(shown: Mapping[str, Any]) -> str:
    names = {key: value for part in shown.get("issuer", ()) for key, value in part}
    return str(names.get("organizationName") or names.get("commonName") or "")
