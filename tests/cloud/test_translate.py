"""Azure's failures become errors that say what to do, by Azure's own code; payloads as recorded from real Azure."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from azure.core import exceptions
from azure.core.pipeline.transport import HttpRequest, RequestsTransportResponse
from requests import Response

from cloud.azure.translate import operation_error, translated
from cloud.errors import (
    InvalidRequest,
    NameTaken,
    NotYet,
    PermanentError,
    PermissionDenied,
    PolicyDenied,
    QuotaExceeded,
    SignInFailed,
    SlipwayError,
    Throttled,
    Unavailable,
)


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> RequestsTransportResponse:
    response = Response()
    response.status_code = status
    response.headers.update(headers or {})
    response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    return RequestsTransportResponse(HttpRequest("GET", "https://management.azure.com/x"), response)


def translate(exc: Exception) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught, translated("create the cluster demo"):
        raise exc
    assert caught.value.__cause__ is exc
    return caught.value


def refused(status: int, body: Any, headers: Mapping[str, str] | None = None) -> SlipwayError:
    return translate(exceptions.HttpResponseError(response=answer(status, body, headers)))


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AuthorizationFailed", 403, PermissionDenied),
        ("LinkedAuthorizationFailed", 403, PermissionDenied),
        ("QuotaExceeded", 400, QuotaExceeded),
        ("SkuNotAvailable", 409, PermanentError),
        ("MissingSubscriptionRegistration", 409, PermanentError),
        ("VaultAlreadyExists", 409, NameTaken),
        ("ConflictError", 409, NameTaken),
        ("K8sVersionNotSupported", 400, InvalidRequest),
        ("ReservedResourceName", 400, InvalidRequest),
        ("VaultNameNotValid", 400, InvalidRequest),
        ("RequestDisallowedByAzure", 400, PolicyDenied),
        ("OperationNotAllowed", 409, NotYet),
        ("ExpiredAuthenticationToken", 401, Unavailable),
        ("InvalidAuthenticationToken", 401, SignInFailed),
        ("SubscriptionNotFound", 404, PermissionDenied),
        ("InternalServerError", 500, Unavailable),
        ("SomethingNew", 400, InvalidRequest),
        ("SomethingNew", 403, PermissionDenied),
    ],
)
def test_the_code_decides_the_type(code: str, status: int, error: type[SlipwayError]) -> None:
    caught = refused(status, {"error": {"code": code, "message": "Azure's words."}})
    assert type(caught) is error
    assert caught.code == code
    assert caught.remedy


def test_the_message_says_what_why_and_azures_words() -> None:
    caught = refused(403, {"error": {"code": "AuthorizationFailed", "message": "The client has no authorization."}})
    assert caught.user_message.startswith("We could not create the cluster demo: the portal's identity has no right")
    assert "The client has no authorization." in caught.user_message


def test_the_correlation_id_is_kept() -> None:
    body = {"error": {"code": "QuotaExceeded", "message": "No."}}
    assert refused(400, body, {"x-ms-correlation-request-id": "1f-2e"}).correlation_id == "1f-2e"


def test_a_quota_error_without_an_error_wrapper_is_understood() -> None:
    body = {"code": "ErrCode_InsufficientVCPUQuota", "details": None, "message": "left 0", "subcode": ""}
    caught = refused(400, body)
    assert type(caught) is QuotaExceeded
    assert caught.code == "ErrCode_InsufficientVCPUQuota"


def test_a_code_inside_details_wins_over_an_unknown_one_outside() -> None:
    inner = {"code": "QuotaExceeded", "message": "4 cores"}
    body = {"error": {"code": "DeploymentFailed", "message": "It failed.", "details": [inner]}}
    assert type(refused(400, body)) is QuotaExceeded


def test_operation_not_allowed_for_quota_is_no_passing_trouble() -> None:
    body = {"error": {"code": "OperationNotAllowed", "message": "exceeding approved Total Regional Cores quota"}}
    assert type(refused(409, body)) is QuotaExceeded


def test_a_vaults_expired_token_is_no_refused_sign_in() -> None:
    told = {"error": {"code": "Unauthorized", "message": "[TokenExpired] Error validating token: 'S2S12086'."}}
    assert type(refused(401, told)) is Unavailable
    other = {"error": {"code": "Unauthorized", "message": "AKV10022: Invalid audience."}}
    assert type(refused(401, other)) is SignInFailed


def test_a_policy_is_named() -> None:
    info = [{"type": "PolicyViolation", "info": {"policyDefinitionDisplayName": "Allowed locations"}}]
    body = {"error": {"code": "RequestDisallowedByPolicy", "message": "No.", "additionalInfo": info}}
    caught = refused(403, body)
    assert type(caught) is PolicyDenied
    assert "“Allowed locations”" in caught.user_message


def test_rights_on_their_way_are_waited_for() -> None:
    body = {"error": {"code": "Forbidden", "message": "No.", "innererror": {"code": "ForbiddenByRbac"}}}
    caught = refused(403, body)
    assert isinstance(caught, NotYet)
    assert caught.delay


def test_throttling_keeps_the_delay_azure_named() -> None:
    caught = refused(429, {"error": {"code": "TooManyRequests", "message": "Slow."}}, {"Retry-After": "17"})
    assert isinstance(caught, Throttled)
    assert caught.delay == 17


def test_throttling_without_a_delay_leaves_it_to_the_engine() -> None:
    caught = refused(429, "")
    assert isinstance(caught, Throttled)
    assert caught.delay is None


@pytest.mark.parametrize(
    "body", ["<html>Bad gateway</html>", "", "\x00{", "[1, 2]", '"text"', "null", '{"error": null}']
)
@pytest.mark.parametrize("status", [200, 404, 502])
def test_an_answer_without_sense_is_tried_again(status: int, body: str) -> None:
    assert isinstance(refused(status, body), Unavailable)


@pytest.mark.parametrize(
    "exc",
    [
        exceptions.ServiceRequestError("Failed to establish a new connection"),
        exceptions.ServiceRequestTimeoutError("Connection timed out"),
        exceptions.ServiceResponseError("Connection aborted."),
        exceptions.ServiceResponseTimeoutError("Read timed out."),
        exceptions.IncompleteReadError("half"),
        exceptions.DeserializationError("not what was promised"),
    ],
)
def test_trouble_on_the_wire_is_tried_again(exc: Exception) -> None:
    assert isinstance(translate(exc), Unavailable)


@pytest.mark.parametrize("code", ["AADSTS7000215", "AADSTS700016", "AADSTS90002"])
def test_a_refused_sign_in_names_entras_code(code: str) -> None:
    caught = translate(exceptions.ClientAuthenticationError(f"Authentication failed: {code}: Invalid client."))
    assert type(caught) is SignInFailed
    assert caught.code == code


@pytest.mark.parametrize(
    "words",
    [
        "Authentication failed: HTTP Error: 503",
        "Authentication failed: Expecting value: line 1 column 1 (char 0)",
        "Unexpected response from Microsoft Entra ID",
        "Authentication failed: AADSTS90033: A transient error has occurred. Please try again.",
    ],
)
def test_a_sign_in_that_entra_did_not_refuse_is_tried_again(words: str) -> None:
    assert isinstance(translate(exceptions.ClientAuthenticationError(words)), Unavailable)


def test_a_machine_without_any_identity_is_no_passing_trouble() -> None:
    words = "DefaultAzureCredential failed to retrieve a token from the included credentials.\nAttempted credentials:"
    assert type(translate(exceptions.ClientAuthenticationError(words))) is SignInFailed


def test_entras_correlation_id_is_kept() -> None:
    number = "5117a000-0000-4000-8000-00000000beef"
    words = f"Authentication failed: AADSTS7000215: Invalid client. Trace ID: x Correlation ID: {number} Timestamp: y"
    assert translate(exceptions.ClientAuthenticationError(words)).correlation_id == number


def test_an_operation_that_failed_later_has_a_type_too() -> None:
    error = {
        "code": "CreateVMSSAgentPoolFailed",
        "message": "x",
        "details": [{"code": "QuotaExceeded", "message": "y"}],
    }
    caught = operation_error({"status": "Failed", "error": error}, "create the cluster demo", correlation_id="c-1")
    assert type(caught) is QuotaExceeded
    assert caught.correlation_id == "c-1"


def test_a_bug_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError), translated("divide"):
        _ = 1 / 0
