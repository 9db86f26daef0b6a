"""What each of Azure's error codes means to a person, and what they can do about it.

The code decides, never the HTTP status or the SDK's exception class: 409 and 404 stand for a dozen different things.
"""

from dataclasses import dataclass

from cloud.errors import (
    Conflict,
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


@dataclass(frozen=True, slots=True)
class Meaning:
    """The type of error a code stands for, why it happened, and the way out."""

    error: type[SlipwayError]
    why: str
    remedy: str


NO_RIGHT = Meaning(
    PermissionDenied,
    "the portal's identity has no right to do that in this subscription",
    "Ask whoever runs Slipway to have it given: docs/azure.md lists the rights that Slipway needs there.",
)
POLICY = Meaning(
    PolicyDenied,
    "a policy of your organisation forbids it",
    "Choose something the policy allows, or ask those who run Azure in your organisation for an exemption.",
)
CLOSED_REGION = Meaning(
    PolicyDenied,
    "Azure itself does not take what was asked for from this subscription there, often because the region is full",
    "Choose another region, or ask Azure's support to open this one for the subscription.",
)
QUOTA = Meaning(
    QuotaExceeded,
    "the subscription may not use that many CPU cores in this region",
    "Choose fewer or smaller nodes or another region, or ask Azure for a higher quota.",
)
ADDRESSES = Meaning(
    QuotaExceeded,
    "the subscription may have no more public addresses in this region",
    "Take down what you no longer need there, choose another region, or ask Azure for a higher quota of public IP"
    " addresses.",
)
NO_MACHINES = Meaning(
    PermanentError,
    "Azure has no machine of this size to give in this region now",
    "Choose another node size or another region.",
)
NOT_REGISTERED = Meaning(
    PermanentError,
    "the subscription is not registered for this Azure service",
    "Register the resource provider; an owner of the subscription can do that in the Azure portal.",
)
BAD_VERSION = Meaning(
    InvalidRequest, "Azure no longer offers this Kubernetes version here", "Choose one of the versions offered."
)
BAD_NAME = Meaning(InvalidRequest, "Azure does not accept the name", "Choose another name.")
TAKEN = Meaning(
    NameTaken,
    "the name is taken, or a deleted vault still holds it",
    "Choose another name, or have the deleted one purged.",
)
BUSY = Meaning(NotYet, "Azure is still busy with an earlier change", "It is tried again by itself.")
BROKEN = Meaning(Unavailable, "Azure had a problem of its own", "It is tried again by itself.")
SPREADING = Meaning(
    NotYet,
    "the right to do so has not arrived yet; Azure takes some minutes to spread one",
    "It is tried again by itself. If it goes on, ask for a Key Vault role for the portal's identity.",
)
NEW_IDENTITY = Meaning(
    NotYet,
    "Azure's directory does not know the cluster's new identity everywhere yet",
    "It is tried again by itself.",
)
BAD_SECRET = Meaning(
    SignInFailed,
    "Azure does not accept the portal's client secret",
    "Have whoever runs the portal give it a new client secret.",
)
BAD_CLIENT = Meaning(
    SignInFailed,
    "Azure does not know the portal's application",
    "Have whoever runs the portal check AZURE_CLIENT_ID and AZURE_TENANT_ID.",
)
RUN_OUT = Meaning(Unavailable, "the portal's sign-in had just run out", "It is tried again by itself.")
BAD_TOKEN = Meaning(
    SignInFailed, "Azure does not accept the portal's sign-in", "Have whoever runs the portal check its identity."
)
EXISTS = Meaning(Conflict, "it exists already, or has changed in the meantime", "Look at it again before going on.")
NO_SUBSCRIPTION = Meaning(
    PermissionDenied,
    "the portal does not see this subscription",
    "Check that it is active and that the portal's identity has a role on it.",
)
INVALID = Meaning(InvalidRequest, "Azure does not accept what was asked for", "Read Azure's own words and change it.")
DISABLED = Meaning(
    PermanentError,
    "the subscription is disabled or may only be read",
    "Enable it again in the Azure portal: its trial, credit or payment has ended.",
)
ADMISSION = Meaning(
    PermissionDenied,
    "the vault does not let the portal's identity do that",
    "Give the portal's identity a Key Vault role on the vault, and let its network reach it.",
)

MEANINGS: dict[str, Meaning] = {
    "AuthorizationFailed": NO_RIGHT,
    "LinkedAuthorizationFailed": NO_RIGHT,
    "RequestDisallowedByPolicy": POLICY,
    "RequestDisallowedByAzure": CLOSED_REGION,
    "ErrCode_InsufficientVCPUQuota": QUOTA,
    "InsufficientVCPUQuota": QUOTA,
    "QuotaExceeded": QUOTA,
    "PublicIPCountLimitReached": ADDRESSES,
    "OperationNotAllowed": BUSY,  # unless its words speak of a quota: translate.py looks
    "SkuNotAvailable": NO_MACHINES,
    "AllocationFailed": NO_MACHINES,
    "ZonalAllocationFailed": NO_MACHINES,
    "OverconstrainedAllocationRequest": NO_MACHINES,
    "AvailabilityZoneNotSupported": NO_MACHINES,
    "MissingSubscriptionRegistration": NOT_REGISTERED,
    "K8sVersionNotSupported": BAD_VERSION,
    "ReservedResourceName": BAD_NAME,
    "VaultNameNotValid": BAD_NAME,
    "InvalidResourceName": BAD_NAME,
    "InvalidResourceGroup": BAD_NAME,
    "AlreadyInUse": TAKEN,
    "VaultAlreadyExists": TAKEN,
    "ConflictError": TAKEN,
    "ObjectIsDeletedButRecoverable": TAKEN,
    "DnsRecordInUse": TAKEN,
    "TokenNotActive": BUSY,
    "RegistryNotReady": BUSY,
    "PrincipalNotFound": NEW_IDENTITY,
    "RoleAssignmentExists": EXISTS,
    "ObjectIsBeingDeleted": BUSY,
    "ObjectIsBeingRecovered": BUSY,
    "OperationPreempted": BUSY,
    "AnotherOperationInProgress": BUSY,
    "RetryableError": BUSY,
    "ResourceGroupBeingDeleted": BUSY,
    "ResourceGroupDeletionBlocked": BUSY,
    "InternalServerError": BROKEN,
    "InternalOperationError": BROKEN,
    "ServiceUnavailable": BROKEN,
    "ServerTimeout": BROKEN,
    "GatewayTimeout": BROKEN,
    "ForbiddenByRbac": SPREADING,
    "ForbiddenByPolicy": ADMISSION,
    "ForbiddenByFirewall": ADMISSION,
    "AccessDenied": ADMISSION,
    "AADSTS90006": BROKEN,
    "AADSTS90012": BROKEN,
    "AADSTS90024": BROKEN,
    "AADSTS90033": BROKEN,
    "AADSTS7000215": BAD_SECRET,
    "AADSTS7000222": BAD_SECRET,
    "AADSTS700016": BAD_CLIENT,
    "AADSTS90002": BAD_CLIENT,
    "ExpiredAuthenticationToken": RUN_OUT,
    "InvalidAuthenticationToken": BAD_TOKEN,
    "InvalidAuthenticationTokenTenant": BAD_TOKEN,
    "AuthenticationFailed": BAD_TOKEN,
    "SubscriptionNotFound": NO_SUBSCRIPTION,
    "InvalidSubscriptionId": NO_SUBSCRIPTION,
    "ReadOnlyDisabledSubscription": DISABLED,
    "DisabledSubscription": DISABLED,
    "PreconditionFailed": EXISTS,
}

THROTTLES = Meaning(Throttled, "Azure asks us to slow down", "It is tried again by itself.")


def of_status(status: int) -> Meaning:
    """What an answer without a code we know means; 200 is an operation that failed later, or a broken answer."""
    if status == 429:
        return THROTTLES
    if status in {408, 425} or status >= 500:
        return BROKEN
    exact = {401: BAD_TOKEN, 403: NO_RIGHT, 409: EXISTS, 412: EXISTS}
    return exact.get(status, INVALID)
