"""Azure's refusals, in the shapes its services really use."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class AzureError(Exception):
    """A refusal. `bare` ones (AKS's own) carry no `error` wrapper; `inner` is Key Vault's innererror code."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        bare: bool = False,
        target: str = "",
        inner: str = "",
        details: list[Json] | None = None,
        additional_info: list[Json] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.bare, self.target, self.inner = bare, target, inner
        self.details, self.additional_info = details, additional_info
        self.headers = headers or {}

    def body(self) -> Json:
        if self.bare:
            body: Json = {"code": self.code, "details": None, "message": self.message, "subcode": ""}
            return body | ({"target": self.target} if self.target else {})
        error: Json = {"code": self.code, "message": self.message}
        if self.target:
            error["target"] = self.target
        if self.inner:
            error["innererror"] = {"code": self.inner}
        if self.details:
            error["details"] = self.details
        if self.additional_info:
            error["additionalInfo"] = self.additional_info
        return {"error": error}


def aks_error(status: int, code: str, message: str, target: str = "") -> AzureError:
    """What the AKS resource provider itself answers: top level, no wrapper."""
    return AzureError(status, code, message, bare=True, target=target)


def group_not_found(name: str) -> AzureError:
    return AzureError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def resource_not_found(resource_type: str, name: str, group: str) -> AzureError:
    return AzureError(
        404,
        "ResourceNotFound",
        f"The Resource '{resource_type}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def group_being_deleted(name: str) -> AzureError:
    return AzureError(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{name}' is in deprovisioning state and cannot perform this operation.",
    )


def invalid_content(message: str) -> AzureError:
    return AzureError(
        400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{message}'."
    )


def not_registered(namespace: str) -> AzureError:
    message = (
        f"The subscription is not registered to use namespace '{namespace}'. "
        "See https://aka.ms/rps-not-found for how to register subscriptions."
    )
    code = "MissingSubscriptionRegistration"
    return AzureError(409, code, message, details=[{"code": code, "target": namespace, "message": message}])
