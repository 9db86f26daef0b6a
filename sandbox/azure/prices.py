"""The retail price list: no sign-in, `$filter`, pages, and the rows nobody should mistake for a price."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.azure.regions import REGIONS
from sandbox.azure.sizes import DEARNESS, NOT_FOR_YOU, SIZES, Size
from sandbox.core import Core

PAGE = 100
RATES = {"USD": 1.0, "GBP": 0.79, "EUR": 0.92}
EQUALS = re.compile(r"(\w+)\s+eq\s+'([^']*)'")
CONTAINS = re.compile(r"contains\(\s*(\w+)\s*,\s*'([^']*)'\s*\)")
SPOT, LOW_PRIORITY, WINDOWS = 0.19, 0.4, 1.92  # of the plain price
Item = dict[str, Any]


def _items(currency: str) -> Iterator[Item]:
    for region in REGIONS:
        for size in SIZES.values():
            if region not in NOT_FOR_YOU.get(size.name.lower(), ()):
                yield from _of_size(size, region, currency)
        yield from _others(region, currency)


def _of_size(size: Size, region: str, currency: str) -> Iterator[Item]:
    short = size.name.removeprefix("Standard_").replace("_", " ")
    series = re.sub(r"\d+", "", size.name.removeprefix("Standard_").split("_")[0])
    linux, windows = f"Virtual Machines {series} Series", f"Virtual Machines {series} Series Windows"
    for product, suffix, factor in (
        (linux, " Spot", SPOT),
        (windows, "", WINDOWS),
        (linux, "", 1.0),
        (windows, " Spot", SPOT * WINDOWS),
        (linux, " Low Priority", LOW_PRIORITY),
    ):
        price = size.hourly * DEARNESS[region] * factor
        yield _item(region, currency, price, product, short + suffix, "Virtual Machines", size.name, "1 Hour")
    reserved = size.hourly * DEARNESS[region] * 8760 * 0.6
    item = _item(region, currency, reserved, linux, short, "Virtual Machines", size.name, "1 Hour")
    yield item | {"type": "Reservation", "reservationTerm": "1 Year"}


def _others(region: str, currency: str) -> Iterator[Item]:
    dear = DEARNESS[region]
    for service, product, meter, sku, price, unit in (
        ("Azure Kubernetes Service", "Azure Kubernetes Service", "Standard Uptime SLA", "Standard", 0.10, "1 Hour"),
        (
            "Load Balancer",
            "Load Balancer",
            "Standard Included LB Rules and Outbound Rules",
            "Standard",
            0.025,
            "1 Hour",
        ),
        ("Virtual Network", "IP Addresses", "Standard IPv4 Static Public IP", "Standard", 0.005, "1 Hour"),
        ("Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "P10 LRS", 19.71, "1/Month"),
        ("Storage", "Standard SSD Managed Disks", "E4 LRS Disk", "E4 LRS", 2.40, "1/Month"),
    ):
        yield _item(region, currency, price * dear, product, meter, service, "", unit) | {"skuName": sku}


def _item(
    region: str, currency: str, dollars: float, product: str, meter: str, service: str, size: str, unit: str
) -> Item:
    price = round(dollars * RATES[currency], 6)
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{region}{product}{meter}")
    return {
        "currencyCode": currency,
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": region,
        "location": REGIONS[region].geography[:2] + " " + REGIONS[region].display,
        "effectiveStartDate": "2026-01-01T00:00:00Z",
        "meterId": str(number),
        "meterName": meter,
        "productId": f"DZH318Z{number.hex[:5].upper()}",
        "skuId": f"DZH318Z{number.hex[:5].upper()}/{number.hex[5:9].upper()}",
        "productName": product,
        "skuName": meter,
        "serviceName": service,
        "serviceId": "DZH313Z7MMC8" if service == "Virtual Machines" else "DZH314Z0000",
        "serviceFamily": "Compute",
        "unitOfMeasure": unit,
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": size,
    }


def _condition(text: str) -> tuple[str, str, bool] | None:
    if found := EQUALS.fullmatch(text):
        return found[1], found[2], True
    found = CONTAINS.fullmatch(text)
    return (found[1], found[2], False) if found else None


def fits(item: Item, conditions: list[tuple[str, str, bool]]) -> bool:
    """Whether all conditions hold; the service compares with case."""
    for field, value, exact in conditions:
        have = str(item.get("type" if field == "priceType" else field, ""))
        if (have != value) if exact else (value not in have):
            return False
    return True


def prices(core: Core, request: Request) -> Response:
    query = dict(request.query_params)
    currency = query.get("currencyCode", "USD").strip("'")
    parts = [part.strip() for part in re.split(r"\s+and\s+", query.get("$filter", "")) if part.strip()]
    conditions = [_condition(part) for part in parts]
    if currency not in RATES or None in conditions or any(c and c[0] not in FIELDS for c in conditions):
        message = "Invalid OData parameters supplied"
        return JSONResponse({"Error": {"Code": "BadRequest", "Message": message}}, 400)
    wanted = [condition for condition in conditions if condition]
    skip = int(query.get("$skip", "0")) if query.get("$skip", "0").isdigit() else 0
    found = [item for item in _items(currency) if fits(item, wanted)]
    shown = found[skip : skip + PAGE]
    following = None
    if skip + PAGE < len(found):
        following = f"{core.config.origin}/api/retail/prices?{urlencode({**query, '$skip': str(skip + PAGE)})}"
    body = {"BillingCurrency": currency, "CustomerEntityId": "Default", "CustomerEntityType": "Retail"}
    return JSONResponse(body | {"Items": shown, "NextPageLink": following, "Count": len(shown)})


FIELDS = frozenset(_item("eastus", "USD", 1.0, "", "", "", "", "")) | {"reservationTerm", "priceType"}
