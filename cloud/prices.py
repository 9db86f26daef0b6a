"""Azure's public price list; no sign-in needed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cloud import web
from cloud.errors import InvalidRequest
from cloud.profile import AzureCloud

PRICE_LIST = "Azure's price list"
NOT_THESE = ("spot", "low priority", "windows")
MOST_PAGES = 10


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs before tax; `unit` as Azure writes it, such as `1 Hour`."""

    amount: Decimal
    currency: str
    unit: str
    as_of: datetime


def node_price(profile: AzureCloud, region: str, size: str) -> Price | None:
    """The pay-as-you-go price of a Linux machine, None when the list has none (or the cloud has no list)."""
    if not profile.prices:
        return None
    wanted = {
        "serviceName": "Virtual Machines",
        "armRegionName": region,
        "armSkuName": size,
        "priceType": "Consumption",
    }
    rows = [row for row in _rows(profile, wanted) if _is_plain(row)]
    # Azure lists a size under several products at times; people pay the one that bears the plain name: the cheapest.
    found = [price for price in map(_price, rows) if price is not None]
    return min(found, key=lambda price: price.amount, default=None)


def _rows(profile: AzureCloud, wanted: dict[str, str]) -> list[dict[str, Any]]:
    terms = [f"{key} eq '{value.replace(chr(39), chr(39) * 2)}'" for key, value in wanted.items()]
    query = {"currencyCode": f"'{profile.currency}'", "$filter": " and ".join(terms)}
    rows: list[dict[str, Any]] = []
    with web.client(profile.prices, ca_bundle=profile.ca_bundle) as http, web.reaching(PRICE_LIST):
        answer = http.get(profile.prices, params=query)
        for _ in range(MOST_PAGES):
            if patience := web.not_now(answer, PRICE_LIST):
                raise patience
            if answer.status_code != 200:
                raise InvalidRequest(
                    f"{PRICE_LIST} refused the question ({answer.status_code}).", "The estimate is made without it."
                )
            page = web.body(answer, PRICE_LIST)
            billed = {"currencyCode": page.get("BillingCurrency", "")}
            rows += [billed | row for row in page.get("Items") or [] if isinstance(row, dict)]
            following = page.get("NextPageLink")
            if not following:
                break
            answer = http.get(following)
    return rows


def _is_plain(row: dict[str, Any]) -> bool:
    names = " ".join(str(row.get(key, "")) for key in ("meterName", "skuName", "productName")).lower()
    return row.get("type", "Consumption") == "Consumption" and not any(word in names for word in NOT_THESE)


def _price(row: dict[str, Any]) -> Price | None:
    try:
        amount = Decimal(str(row["retailPrice"]))
    except (KeyError, InvalidOperation):
        return None
    unit, currency = str(row.get("unitOfMeasure", "")), str(row.get("currencyCode", ""))
    return Price(amount, currency, unit, datetime.now(UTC)) if amount > 0 else None
