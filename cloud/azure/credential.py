"""A sign-in that can be made anew. Imports no SDK until it is used.

SDKs keep a token until it runs out, also one that Azure takes no longer: revoked, or issued by a clock that was ahead.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo
    from azure.core.pipeline.policies import SansIOHTTPPolicy


class Renewable:
    """A credential as SDKs take one, over another that `renew` replaces. Safe to share between threads."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._inner = make()

    def renew(self) -> None:
        """Forgets every token: the next one comes from Azure."""
        with self._lock:
            self._inner = self._make()

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        token: AccessToken = self._inner.get_token(*scopes, **options)
        return token

    def get_token_info(self, *scopes: str, **options: Any) -> "AccessTokenInfo":
        token: AccessTokenInfo = self._inner.get_token_info(*scopes, **options)
        return token


def watch(refused: Callable[[], None]) -> "SansIOHTTPPolicy[Any, Any]":
    """A policy for SDK clients that calls `refused` when Azure does not take the token that it was sent."""
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    class Watch(SansIOHTTPPolicy[Any, Any]):
        def on_response(self, request: Any, response: Any) -> None:
            if response.http_response.status_code == 401 and "Authorization" in request.http_request.headers:
                refused()

    return Watch()
