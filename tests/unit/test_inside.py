"""The inside of a hub: what can be named, in which words it is shown, what is masked and how much is kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cloud.kubernetes_inside import LogLine, PodDetail, container_log, pod_detail
from deployments.inside import subjects, words
from deployments.inside.stream import LEFT_OUT, Follower
from deployments.inside.subjects import HISTORY, OVERVIEW, Subject
from deployments.models import Look
from deployments.redaction import MASK
from worker.inside import bounds

SYMPTOMS = Path(__file__).parent / "symptoms"


def pods(name: str) -> list[PodDetail]:
    return [pod_detail(item) for item in json.loads((SYMPTOMS / f"{name}.json").read_text())["pods"]]


# --- what can be named ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [OVERVIEW, HISTORY, Subject("pod", "hub-1"), Subject("log", "hub-1"), Subject("log", "hub.1", "hub", True)],
)
def test_a_subject_is_read_back_from_its_name(subject: Subject) -> None:
    assert subjects.read(str(subject)) == subject


@pytest.mark.parametrize(
    "text",
    ["", "secrets", "pod/", "pod/../secrets", "pod/Hub", "log/hub", "log/hub/c/next", "log/hub/c/previous/more",
     "log/hub/c.d", "log//c", "pod/a b", f"pod/{'a' * 254}", "pod/hub\n"],
)  # fmt: skip
def test_what_nothing_can_be_called_is_no_subject(text: str) -> None:
    assert subjects.read(text) is None


def test_the_longest_subject_fits_into_its_column() -> None:
    longest = subjects.log("p" * 253, "c" * 63, previous=True)
    assert longest and len(str(longest)) <= Look._meta.get_field("subject").max_length


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symptom", "status", "label", "colour"),
    [
        ("image-pull", "ImagePullBackOff", "cannot get its image", "red"),
        ("crash-loop", "CrashLoopBackOff", "crashes again and again", "red"),
        ("hub-full", "Pending", "waiting for a machine (node)", "amber"),
        ("evicted", "Evicted", "thrown out of its machine", "red"),
        ("container-config", "CreateContainerConfigError", "a setting it needs does not exist", "red"),
        ("init-failed", "Init:CrashLoopBackOff", "preparing it failed", "red"),
        ("mount-missing", "ContainerCreating", "getting its image and disks", "blue"),
        ("well/healthy", "Running", "runs", "green"),
        ("well/placeholder", "Pending", "waits until there is room to spare", "grey"),
    ],
)
def test_a_pods_state_is_told_in_plain_words_beside_kubernetes_own(
    symptom: str, status: str, label: str, colour: str
) -> None:
    shown = [words.pod_state(row(pod)) for pod in pods(symptom)]
    assert words.Shown(label, colour, status) in shown


def row(pod: PodDetail) -> dict[str, Any]:
    facts = {"status": pod.status, "ready": pod.ready, "component": pod.component}
    return facts | {"unplaced": pod.waits_for_node}


def test_a_word_that_nobody_knows_is_shown_as_it_is() -> None:
    assert words.pod_state({"status": "Sleepwalking"}) == words.Shown("", "amber", "Sleepwalking")


def test_every_container_of_every_symptom_has_a_state() -> None:
    found = [
        words.container_state(asdict(container))
        for path in SYMPTOMS.rglob("*.json")
        for item in json.loads(path.read_text()).get("pods", [])
        for container in pod_detail(item).containers
    ]
    assert len(found) > 30 and all(shown.label and shown.original for shown in found)


@pytest.mark.parametrize(
    ("quantity", "told"),
    [("3860m", "3.86"), ("2", "2"), ("13963Mi", "13.6 GiB"), ("16Gi", "16 GiB"), ("129886128Ki", "123.9 GiB"),
     ("50Mi", "50MiB"), ("odd", "odd")],
)  # fmt: skip
def test_quantities_are_told_as_people_write_them(quantity: str, told: str) -> None:
    assert words.amount(quantity) == told


# --- what is kept of a log -----------------------------------------------------------------------------------------


def lines(*texts: str) -> list[LogLine]:
    return [LogLine(number, None, text) for number, text in enumerate(texts, 1)]


def shown(*texts: str) -> list[str]:
    return [text for _number, _at, text in bounds.log_lines(lines(*texts))]


def test_lines_are_numbered_by_their_moment_and_never_twice() -> None:
    stamps = ("2026-03-02T10:00:00.000001Z", "2026-03-02T10:00:00.000001Z", "2026-03-02T10:00:01Z", "")
    found = container_log("\n".join(f"{stamp} text" for stamp in stamps)).lines
    first, second, third = (line.number for line in found)
    assert (second - first, third - first) == (1, 999_999)
    assert found == container_log("\n".join(f"{stamp} text" for stamp in stamps)).lines


def test_a_log_keeps_its_newest_lines_in_number_and_in_size() -> None:
    assert shown(*(f"line {number}" for number in range(700)))[0] == "line 200"
    many = shown(*("x" * 3000 for _ in range(400)))
    assert all(len(text) == bounds.LINE for text in many)
    assert sum(map(len, many)) <= bounds.CHARACTERS


def test_colours_and_overwritten_text_are_left_out() -> None:
    assert shown("\x1b[1;31mred\x1b[0m", " 10%\r 20%\rdone\r", "a\x07b\x00c") == ["red", "done", "abc"]


@pytest.mark.parametrize("begins", [True, False])
def test_a_private_key_is_masked_over_its_lines_also_without_its_beginning(begins: bool) -> None:
    key = ["MIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo", "4lgOEePzNm0tRgeLezV6ffAt0gunVTLw", "-----END RSA PRIVATE KEY-----"]
    head = ["-----BEGIN RSA PRIVATE KEY-----"] if begins else []
    assert shown("before it", *head, *key, "after") == ["before it", *[MASK] * (3 + begins), "after"]


def test_nothing_that_is_shown_is_longer_than_a_screen() -> None:
    plain = bounds.plain({"message": "x" * 10_000, "more": ["y" * 10_000], "count": 3, "none": None})
    assert (len(plain["message"]), len(plain["more"][0]), plain["count"], plain["none"]) == (2000, 2000, 3, None)


# --- what a page is told -------------------------------------------------------------------------------------------


def follower(last: int = 0, subject: Subject = Subject("log", "hub-1", "hub")) -> Follower:  # noqa: B008
    return Follower(uuid4(), subject, 1, "", last)


def filled(*numbers: int, full: bool = False, **more: Any) -> Look:
    data = {"lines": [[number, "", f"line {number}"] for number in numbers], "full": full} | more
    return Look(id=1, data=data, looked_at="2026-03-02T10:00:00Z")


def told(text: str) -> list[str]:
    return [json.loads(line[6:])["message"] for line in text.splitlines() if line.startswith('data: {"number"')]


def test_each_line_is_told_once() -> None:
    page = follower(last=2)
    assert told(page.told(filled(1, 2, 3, 4))) == ["line 3", "line 4"]
    assert told(page.told(filled(2, 3, 4, 5))) == ["line 5"]
    assert page.told(filled(2, 3, 4, 5)) == ""


def test_lines_that_were_missed_are_not_hidden() -> None:
    page = follower(last=2)
    assert told(page.told(filled(9, 10, full=True))) == [LEFT_OUT, "line 9", "line 10"]


def test_a_page_is_drawn_anew_only_when_something_else_than_lines_has_changed() -> None:
    page = follower()
    assert "event: look" in page.told(filled(1, pod={"status": "Running"}))
    assert "event: look" not in page.told(filled(1, 2, pod={"status": "Running"}))
    assert "event: look" in page.told(filled(1, 2, pod={"status": "CrashLoopBackOff"}))


def test_a_look_that_has_not_been_filled_in_tells_nothing() -> None:
    assert follower(subject=OVERVIEW).told(Look(id=1, data={})) == ""
