"""Requests to Azure Resource Manager that none of our SDKs makes, through an SDK's own pipeline."""

from typing import Any

from cloud.azure.session import AzureSession


def ask(
    az: AzureSession, subscription: str, method: str, path: str, version: str, body: Any = None, **query: str
) -> dict[str, Any]:
    """The JSON object that ARM answers; raises what an SDK would raise, so call it within `translated`."""
    from azure.core.rest import HttpRequest

    url = az.profile.arm.rstrip("/") + path
    request = HttpRequest(method, url, params={"api-version": version, **query}, json=body)
    answer = az.resources(subscription).send_request(request)
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content
