"""What a region's network still has for us: names on the internet, public addresses."""

from dataclasses import dataclass

from cloud.azure.plain import ask
from cloud.azure.session import AzureSession
from cloud.azure.translate import translated

API_VERSION = "2024-05-01"
#: Azure counts a standard IPv4 address, which is what AKS asks for, under each of these.
ADDRESS_QUOTAS = ("publicipaddresses", "standardskupublicipaddresses", "ipv4standardskupublicipaddresses")


@dataclass(frozen=True, slots=True)
class AddressQuota:
    """Public addresses in use and allowed in a region."""

    label: str
    used: int
    limit: int


def label_is_free(az: AzureSession, subscription: str, region: str, label: str) -> bool:
    """Whether `label.region.cloudapp.azure.com` is nobody's yet."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.Network/locations/{region}/CheckDnsNameAvailability"
    with translated(f"see whether the address {label} is free"):
        return bool(ask(az, subscription, "GET", path, API_VERSION, domainNameLabel=label).get("available"))


def address_quota(az: AzureSession, subscription: str, region: str) -> AddressQuota | None:
    """The tightest of the quotas that a public address counts against; None where Azure names none."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.Network/locations/{region}/usages"
    with translated(f"read the address quotas of {region}"):
        rows = ask(az, subscription, "GET", path, API_VERSION).get("value") or []
    found = [
        AddressQuota(row["name"].get("localizedValue") or row["name"]["value"], row["currentValue"], row["limit"])
        for row in rows
        if str(row["name"]["value"]).lower() in ADDRESS_QUOTAS
    ]
    return min(found, key=lambda quota: quota.limit - quota.used, default=None)
