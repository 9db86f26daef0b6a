"""Where the simulated Azure has data centres, and which Kubernetes versions it offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Region:
    name: str
    display: str
    place: str
    geography: str
    group: str
    latitude: str
    longitude: str
    pair: str


#: Physical regions, in the order Azure would list them.
REGIONS = {
    region.name: region
    for region in (
        Region("eastus", "East US", "Virginia", "United States", "US", "37.3719", "-79.8164", "westus"),
        Region("eastus2", "East US 2", "Virginia", "United States", "US", "36.6681", "-78.3889", "centralus"),
        Region("westus2", "West US 2", "Washington", "United States", "US", "47.233", "-119.852", "westcentralus"),
        Region("centralus", "Central US", "Iowa", "United States", "US", "41.5908", "-93.6208", "eastus2"),
        Region("canadacentral", "Canada Central", "Toronto", "Canada", "Canada", "43.653", "-79.383", "canadaeast"),
        Region("northeurope", "North Europe", "Ireland", "Europe", "Europe", "53.3478", "-6.2597", "westeurope"),
        Region("westeurope", "West Europe", "Netherlands", "Europe", "Europe", "52.3667", "4.9", "northeurope"),
        Region("uksouth", "UK South", "London", "United Kingdom", "UK", "50.941", "-0.799", "ukwest"),
        Region("ukwest", "UK West", "Cardiff", "United Kingdom", "UK", "53.427", "-3.084", "uksouth"),
        Region("francecentral", "France Central", "Paris", "France", "Europe", "46.3772", "2.373", "francesouth"),
        Region(
            "germanywestcentral",
            "Germany West Central",
            "Frankfurt",
            "Germany",
            "Europe",
            "50.11",
            "8.68",
            "germanynorth",
        ),
        Region("swedencentral", "Sweden Central", "Gävle", "Sweden", "Europe", "60.67", "17.14", "swedensouth"),
        Region(
            "switzerlandnorth",
            "Switzerland North",
            "Zurich",
            "Switzerland",
            "Europe",
            "47.45",
            "8.56",
            "switzerlandwest",
        ),
        Region(
            "southeastasia",
            "Southeast Asia",
            "Singapore",
            "Asia Pacific",
            "Asia Pacific",
            "1.283",
            "103.833",
            "eastasia",
        ),
        Region("japaneast", "Japan East", "Tokyo", "Japan", "Asia Pacific", "35.68", "139.77", "japanwest"),
        Region(
            "australiaeast",
            "Australia East",
            "New South Wales",
            "Australia",
            "Asia Pacific",
            "-33.86",
            "151.2094",
            "australiasoutheast",
        ),
    )
}

#: Regions that are only a grouping: nothing can be made in them.
LOGICAL = {"europe": "Europe", "uk": "United Kingdom", "unitedstates": "United States", "global": "Global"}

#: minor → (patches, is_default, is_preview)
KUBERNETES: dict[str, tuple[list[str], bool, bool]] = {
    "1.33": (["1.33.5", "1.33.6"], False, False),
    "1.34": (["1.34.2", "1.34.3"], True, False),
    "1.35": (["1.35.0", "1.35.1"], False, False),
    "1.36": (["1.36.0"], False, True),
}
#: Offered to Premium clusters on long-term support only.
LONG_TERM = {"1.30": ["1.30.14"], "1.31": ["1.31.13"], "1.32": ["1.32.9"]}


def normalise(location: str) -> str:
    """`UK South` and `uksouth` are the same place."""
    return location.replace(" ", "").lower()


def exact_version(wanted: str) -> str | None:
    """The patch version a request for `1.34`, `1.34.2` or nothing gives; None when it is not offered."""
    if not wanted:
        wanted = next(minor for minor, (_, default, _) in KUBERNETES.items() if default)
    if wanted in KUBERNETES:
        return KUBERNETES[wanted][0][-1]
    offered = [patch for patches, _, _ in KUBERNETES.values() for patch in patches]
    return wanted if wanted in offered else None


def location_entry(subscription: str, region: Region) -> dict[str, Any]:
    """One entry of `/subscriptions/{id}/locations`."""
    return {
        "id": f"/subscriptions/{subscription}/locations/{region.name}",
        "name": region.name,
        "type": "Region",
        "displayName": region.display,
        "regionalDisplayName": f"({region.group}) {region.display}",
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended",
            "geography": region.geography,
            "geographyGroup": region.group,
            "longitude": region.longitude,
            "latitude": region.latitude,
            "physicalLocation": region.place,
            "pairedRegion": [
                {"name": region.pair, "id": f"/subscriptions/{subscription}/locations/{region.pair}"},
            ],
        },
    }


def logical_entry(subscription: str, name: str, display: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}/locations/{name}",
        "name": name,
        "type": "Region",
        "displayName": display,
        "regionalDisplayName": display,
        "metadata": {"regionType": "Logical", "regionCategory": "Other"},
    }
