"""Each rule knows its symptom, in the shape Kubernetes and the hub really give it; what is well is left alone."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cloud.kubernetes_inside import node_detail, pod_detail
from cloud.kubernetes_objects import event, service, volume_claim
from deployments.diagnosis import RULES, Symptoms, diagnose, explain

DOCUMENT = Path(__file__).parents[2] / "docs" / "diagnosis.md"
FOLDER = Path(__file__).parent / "symptoms"
ILL, WELL = sorted(FOLDER.glob("*.json")), sorted(FOLDER.glob("well/*.json"))


def read(path: Path) -> tuple[str, Symptoms]:
    """What a file says should be found, and the symptoms it holds."""
    seen: dict[str, Any] = json.loads(path.read_text())
    return seen.get("expected", ""), Symptoms(
        pods=[pod_detail(item) for item in seen.get("pods", [])],
        nodes=[node_detail(item) for item in seen["nodes"]] if "nodes" in seen else None,
        events=[event(item) for item in seen.get("events", [])],
        services=[service(item) for item in seen.get("services", [])],
        claims=[volume_claim(item) for item in seen.get("claims", [])],
        logs=seen.get("logs", {}),
        unhealthy=seen.get("unhealthy", ()),
        failure=seen.get("failure", ""),
        silence=seen.get("silence", ""),
        now=datetime.fromisoformat(seen["now"]),
    )


@pytest.mark.parametrize("path", ILL, ids=lambda path: path.stem)
def test_a_symptom_has_its_diagnosis(path: Path) -> None:
    expected, symptoms = read(path)
    assert [one.code for one in diagnose(symptoms)] == [expected]


@pytest.mark.parametrize("path", WELL, ids=lambda path: path.stem)
def test_what_is_well_or_on_its_way_is_left_alone(path: Path) -> None:
    assert diagnose(read(path)[1]) == []


def test_every_rule_has_a_symptom() -> None:
    assert {rule.code for rule in RULES} == {path.stem for path in ILL}


def test_the_document_lists_every_rule_in_its_order() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (?:(\d+) s|–) \|$", DOCUMENT.read_text(), re.MULTILINE)
    rules = [
        (rule.code, rule.what.format(subject="…"), f"{rule.lasting:.0f}" if rule.lasting is not None else "")
        for rule in RULES
    ]
    assert listed == rules


def test_codes_are_unique_and_what_is_hidden_exists() -> None:
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert {code for rule in RULES for code in rule.hides} <= set(codes)


@pytest.mark.parametrize("path", ILL, ids=lambda path: path.stem)
def test_a_diagnosis_is_whole_sentences(path: Path) -> None:
    found = diagnose(read(path)[1])[0]
    for text in (found.what, found.why, found.fix):
        assert text.endswith(".") and "{" not in text and "  " not in text


def test_a_failed_step_gets_the_sentence_the_evidence_and_the_fix() -> None:
    error = explain(read(FOLDER / "pull-limit.json")[1])
    assert error is not None and error.code == "pull-limit"
    assert "Docker Hub gives out no more images" in error.user_message and "toomanyrequests" in error.user_message
    assert "Azure Container Registry" in error.remedy


def test_of_a_long_build_the_line_that_says_why_is_shown() -> None:
    lines = [*(f"Step {number}/40 : RUN something" for number in range(40)), "ResolvePackageNotFound: numpy=99", "bye"]
    (found,) = diagnose(Symptoms(failure="\n".join(lines)))
    assert (found.code, found.evidence) == ("conda-conflict", ("ResolvePackageNotFound: numpy=99",))


def test_what_a_program_said_before_it_crashed_is_shown_and_not_that_it_crashes() -> None:
    _, symptoms = read(FOLDER / "crash-loop.json")
    assert "back-off" not in str(diagnose(symptoms)[0].evidence)


def test_only_a_rule_about_what_does_not_mend_by_itself_gives_up_waiting() -> None:
    assert all(rule.lasting is None or rule.lasting >= 30 for rule in RULES)
    by_code = {rule.code: rule for rule in RULES}
    for passing in ("pull-limit", "registry-unreachable", "no-nodes", "node-not-ready", "cluster-silent", "dns-wrong"):
        assert by_code[passing].lasting is None


def test_nothing_known_explains_nothing() -> None:
    assert explain(Symptoms(failure="Something nobody has ever seen")) is None


def test_evidence_is_bounded() -> None:
    found = diagnose(Symptoms(failure="toomanyrequests " + "x" * 10_000))[0]
    assert len(found.evidence) == 1 and len(found.evidence[0]) <= 400


def test_many_pods_with_one_trouble_make_one_diagnosis() -> None:
    _, symptoms = read(FOLDER / "hub-full.json")
    many = Symptoms(pods=[*symptoms.pods] * 50, events=symptoms.events, nodes=symptoms.nodes, now=symptoms.now)
    assert [one.code for one in diagnose(many)] == ["hub-full"]
