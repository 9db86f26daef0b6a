"""docs/preflight.md and the tests speak of the same failures, and nearly all of them are caught in time."""

from __future__ import annotations

from bootstrap.machine import ROOT
from deployments.preflight import UNTRIED
from tests.preflight.cases import CASES
from tests.preflight.test_late import LATE
from tests.unit.test_diagnosis import ILL
from tests.unit.test_findings import CASES as FINDINGS

Row = dict[str, str]
LATER = "later"


def table(heading: str) -> list[Row]:
    """The rows of the table under a heading, by the names of their columns."""
    text = (ROOT / "docs" / "preflight.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [[cell.strip(" `") for cell in line.strip("| ").split(" | ")] for line in text.splitlines() if "|" in line]
    names, rows = lines[0], [line for line in lines[2:]]
    assert all(len(row) == len(names) for row in rows), [row for row in rows if len(row) != len(names)]
    return [dict(zip(names, row, strict=True)) for row in rows]


FORESEEN, LATE_ROWS = table("What can be foreseen"), table("What can only come later")
CAUGHT = [row for row in FORESEEN if row["caught"] != LATER]


def test_at_least_95_of_100_documented_failures_are_caught_before_anything_is_made() -> None:
    tested = {case.id for case in CASES}
    caught = [row for row in CAUGHT if row["id"] in tested]
    assert len(FORESEEN) > 50
    assert len(caught) / len(FORESEEN) >= 0.95, f"{len(caught)} of {len(FORESEEN)}"


def test_the_document_and_the_cases_agree() -> None:
    told = {row["id"]: (row["code"], "form" in row["test"], "first_step" in row["test"]) for row in CAUGHT}
    assert told == {case.id: (case.code, bool(case.field), True) for case in CASES}


def test_what_is_not_caught_in_time_has_its_sentence_among_the_late_ones() -> None:
    late = {row["id"] for row in LATE_ROWS}
    assert {row["id"] for row in FORESEEN if row["caught"] == LATER} <= late


def test_each_late_failure_has_its_test_and_each_test_its_line() -> None:
    told = {row["id"]: row["step"] for row in LATE_ROWS if row["test"] == "late"}
    assert told == {late.id: late.step for late in LATE}
    symptoms = {path.stem for path in ILL}
    diagnosed = {row["test"].partition(": ")[2] or row["id"] for row in LATE_ROWS if row["test"] != "late"}
    assert diagnosed <= symptoms


def test_an_id_stands_for_one_failure() -> None:
    for rows in (FORESEEN, LATE_ROWS):
        ids = [row["id"] for row in rows]
        assert len(set(ids)) == len(ids)


def test_every_finding_there_is_is_documented() -> None:
    text = (ROOT / "docs" / "preflight.md").read_text()
    untold = {case.code for case in FINDINGS if f"`{case.code}`" not in text} - UNTRIED
    assert untold <= ADVICE


#: Findings that are about taste or completeness, not about a failure that somebody documented.
ADVICE = {
    "public-hub", "private-repositories", "size-burstable", "size-small", "size-too-small", "pool-range", "pool-empty",
    "registry-incomplete", "registry-certificate", "name-derived",
}  # fmt: skip
