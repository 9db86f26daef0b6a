"""The SDKs' way onto the wire, counted."""

from functools import cache
from typing import TYPE_CHECKING, Any

from cloud import calls

if TYPE_CHECKING:
    from azure.core.pipeline.transport import HttpTransport


def counted_transport(service: str, options: dict[str, Any]) -> "HttpTransport[Any, Any]":
    """Tells each request as it goes out, the SDK's own tries again and its sign-ins included."""
    return _class()(service, options)  # type: ignore[no-any-return]


@cache
def _class() -> Any:
    """Made when the first client is: Azure's core comes along with it."""
    from azure.core.pipeline.transport import RequestsTransport

    class CountedTransport(RequestsTransport):  # type: ignore[misc]
        def __init__(self, service: str, options: dict[str, Any]) -> None:
            super().__init__(**options)
            self._service = service

        def send(self, request: Any, **more: Any) -> Any:
            with calls.counted(self._service) as call:
                answer = super().send(request, **more)
                call.code = str(answer.status_code)
                return answer

    return CountedTransport
