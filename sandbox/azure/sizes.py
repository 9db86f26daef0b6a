"""Virtual machine sizes: what they have, where they are refused, what they cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """`hourly` is US dollars in eastus, Linux, pay as you go."""

    name: str
    family: str
    label: str
    vcpus: int
    memory: float
    hourly: float
    gpus: int = 0


SIZES = {
    size.name.lower(): size
    for size in (
        Size("Standard_B2s", "standardBSFamily", "Standard BS Family vCPUs", 2, 4, 0.0416),
        Size("Standard_B4ms", "standardBSFamily", "Standard BS Family vCPUs", 4, 16, 0.166),
        Size("Standard_D2s_v3", "standardDSv3Family", "Standard DSv3 Family vCPUs", 2, 8, 0.096),
        Size("Standard_D4s_v3", "standardDSv3Family", "Standard DSv3 Family vCPUs", 4, 16, 0.192),
        Size("Standard_D2s_v5", "standardDSv5Family", "Standard DSv5 Family vCPUs", 2, 8, 0.096),
        Size("Standard_D4s_v5", "standardDSv5Family", "Standard DSv5 Family vCPUs", 4, 16, 0.192),
        Size("Standard_D8s_v5", "standardDSv5Family", "Standard DSv5 Family vCPUs", 8, 32, 0.384),
        Size("Standard_E4s_v5", "standardESv5Family", "Standard ESv5 Family vCPUs", 4, 32, 0.252),
        Size("Standard_F4s_v2", "standardFSv2Family", "Standard FSv2 Family vCPUs", 4, 8, 0.169),
        Size("Standard_NC6s_v3", "standardNCSv3Family", "Standard NCSv3 Family vCPUs", 6, 112, 3.06, gpus=1),
        Size(
            "Standard_NC4as_T4_v3", "Standard NCASv3_T4 Family", "Standard NCASv3_T4 Family vCPUs", 4, 28, 0.526, gpus=1
        ),
    )
}
FAMILIES = {size.family: size.label for size in SIZES.values()}

#: size (lowercase) → regions where no subscription of this world may use it.
NOT_FOR_YOU: dict[str, tuple[str, ...]] = {
    "standard_b2s": ("westeurope", "eastus"),
    "standard_d2s_v3": ("francecentral",),
    "standard_nc6s_v3": ("ukwest", "swedencentral", "switzerlandnorth", "canadacentral"),
    "standard_nc4as_t4_v3": ("ukwest", "francecentral"),
}

#: What a region's prices are, compared with eastus.
DEARNESS = {
    "eastus": 1.0, "eastus2": 1.0, "westus2": 1.0, "centralus": 1.04, "canadacentral": 1.11, "northeurope": 1.11,
    "westeurope": 1.2, "uksouth": 1.16, "ukwest": 1.17, "francecentral": 1.17, "germanywestcentral": 1.2,
    "swedencentral": 1.06, "switzerlandnorth": 1.31, "southeastasia": 1.25, "japaneast": 1.29, "australiaeast": 1.25,
}  # fmt: skip


def allowed(size: str, region: str) -> bool:
    """Whether this size exists here and may be used."""
    return size.lower() in SIZES and region not in NOT_FOR_YOU.get(size.lower(), ())
