"""Azure's SDKs go through our limits. Imports the SDK only when it is used."""

from typing import TYPE_CHECKING, Any

from cloud.azure.limits import Limits
from cloud.azure.translate import retry_after

if TYPE_CHECKING:
    from azure.core.pipeline.policies import SansIOHTTPPolicy


def gate(limits: Limits) -> "SansIOHTTPPolicy[Any, Any]":
    """A policy for SDK clients that asks before each request, and notes each 429."""
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    class Gate(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            limits.enter(request.http_request.method, request.http_request.url)

        def on_response(self, request: Any, response: Any) -> None:
            answer = response.http_response
            if answer.status_code == 429:
                limits.refused(request.http_request.url, retry_after(answer.headers))

    return Gate()
