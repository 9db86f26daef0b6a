"""How an address answers: its certificate, its clock, its status. For whoever looks whether all is well."""

import http.client
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from cloud import web
from cloud.errors import Unavailable
from cloud.profile import AzureCloud

PATIENCE = httpx.Timeout(10.0)
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a TLS server shows. `distrust` says why it is not to be trusted; then nothing else is known."""

    distrust: str = ""
    expires: datetime | None = None


def certificate(url: str) -> Certificate:
    """The certificate of an https address, checked as a browser does; raises Unavailable when nobody answers."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        with (
            socket.create_connection((host, port), SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure,
        ):
            shown = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as exc:
        return Certificate(distrust=exc.verify_message or "it could not be checked")
    except OSError as exc:
        raise Unavailable(f"{host} does not answer on port {port} ({exc.strerror or type(exc).__name__}).") from exc
    seconds = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    return Certificate(expires=datetime.fromtimestamp(seconds, UTC))


def bundle_expiry(path: str) -> datetime:
    """When the first authority of a CA file runs out; raises OSError when the file is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=path)
    ends = [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in context.get_ca_certs()]
    if not ends:
        raise ssl.SSLError(f"{path} holds no authority")
    return datetime.fromtimestamp(min(ends), UTC)


def azures_clock(profile: AzureCloud) -> datetime:
    """What time it is at Azure, by its answer to anybody."""
    with web.client(profile.arm, ca_bundle=profile.ca_bundle, timeout=PATIENCE) as asked, web.reaching("Azure"):
        told = asked.get(profile.arm).headers.get("date", "")
    try:
        return parsedate_to_datetime(told.split(", ,")[0])
    except ValueError as exc:
        raise Unavailable("Azure's answer does not say what time it is.") from exc


def status(url: str) -> int:
    """The status with which an https address answers, redirects not followed; raises Unavailable when it does not."""
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port or 443, timeout=SECONDS)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as exc:
        raise Unavailable(f"{parts.hostname} did not answer ({type(exc).__name__}).") from exc
    finally:
        connection.close()
