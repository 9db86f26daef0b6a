"""The price list."""

from __future__ import annotations

from tests.sandbox.azure.conftest import World

FILTER = (
    "serviceName eq 'Virtual Machines' and armRegionName eq 'uksouth' and armSkuName eq 'Standard_D4s_v5' "
    "and priceType eq 'Consumption'"
)


def test_a_size_has_spot_windows_and_low_priority_rows_beside_its_price(world: World) -> None:
    query = {"$filter": FILTER, "currencyCode": "'GBP'"}
    answer = world.http.get("/api/retail/prices", params=query).json()
    names = {(row["productName"].endswith("Windows"), row["skuName"]) for row in answer["Items"]}
    assert {(False, "D4s v5"), (True, "D4s v5"), (False, "D4s v5 Spot"), (False, "D4s v5 Low Priority")} <= names
    assert answer["BillingCurrency"] == "GBP"


def test_the_list_comes_in_pages(world: World) -> None:
    first = world.http.get("/api/retail/prices").json()
    second = world.http.get(first["NextPageLink"]).json()
    assert first["Items"][0] != second["Items"][0]


def test_a_filter_that_makes_no_sense_is_refused(world: World) -> None:
    assert world.http.get("/api/retail/prices", params={"$filter": "nothing like it"}).status_code == 400
