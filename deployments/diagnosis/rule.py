"""What a rule is, and the small functions that rules find their evidence with. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from deployments.diagnosis.symptoms import Symptoms

#: Evidence shown with a diagnosis: so many pieces, each so long.
PIECES, LONGEST = 3, 400
#: What ended is told of for so long (seconds).
LATELY = 3600.0
CRASHING = "CrashLoopBackOff"


@dataclass(frozen=True)
class Sighting:
    """One piece of evidence: where it was seen, in whose words, and since when its subject exists."""

    subject: str
    words: str
    born: datetime | None = None


Finder = Callable[[Symptoms], Iterable[Sighting]]


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, why that happens, what to do about it, and what says so."""

    code: str
    what: str
    why: str
    fix: str
    evidence: tuple[str, ...] = ()
    lasting: float | None = None


@dataclass(frozen=True)
class Rule:
    """Turns what `seen` finds into sentences, in which {subject} stands for where it was found.

    `patience`: what is younger (seconds) may still be on its way. `lasting`: once it has stood for so long (seconds),
    waiting for it is no use; None where it may mend by itself. `hides`: diagnoses that this one explains.
    """

    code: str
    what: str
    why: str
    fix: str
    seen: Finder
    patience: float = 0.0
    lasting: float | None = None
    hides: tuple[str, ...] = ()

    def apply(self, symptoms: Symptoms) -> Diagnosis | None:
        found = [one for one in self.seen(symptoms) if self._ripe(one, symptoms)]
        if not found:
            return None
        subject = found[0].subject
        what, why, fix = (text.format(subject=subject) for text in (self.what, self.why, self.fix))
        evidence = dict.fromkeys(_told(one) for one in found if one.words)
        return Diagnosis(self.code, what, why, fix, tuple(evidence)[:PIECES], self.lasting)

    def _ripe(self, one: Sighting, symptoms: Symptoms) -> bool:
        return not self.patience or one.born is None or symptoms.age(one.born) >= self.patience


def _told(one: Sighting) -> str:
    words = " ".join(one.words.split())
    told = f"{one.subject}: {words}" if one.subject else words
    # The beginning says what was tried, the end why it failed.
    return told if len(told) <= LONGEST else f"{told[:150]} … {told[-(LONGEST - 153) :]}"


def either(*finders: Finder) -> Finder:
    """What any of these finds."""
    return lambda symptoms: (one for finder in finders for one in finder(symptoms))


def event(pattern: str, *, about: str = "", reason: str = "") -> Finder:
    """Warnings that still hold whose words match; `about` is a kind, `reason` a pattern of its own."""
    words, reasons = re.compile(pattern, re.IGNORECASE), re.compile(reason)

    def find(symptoms: Symptoms) -> Iterator[Sighting]:
        for each in reversed(symptoms.warnings):
            if each.about.startswith(about) and reasons.search(each.reason) and words.search(each.message):
                subject = each.about.partition("/")[2]
                yield Sighting(subject, f"{each.reason}: {each.message}", symptoms.born(each.about))

    return find


def waiting(reason: str, pattern: str = "", *, init: bool | None = None) -> Finder:
    """Containers that wait for such a reason and say so in such words."""
    reasons, words = re.compile(reason), re.compile(pattern, re.IGNORECASE)

    def find(symptoms: Symptoms) -> Iterator[Sighting]:
        for pod, container in symptoms.containers:
            fits = container.state == "waiting" and reasons.fullmatch(container.reason)
            if fits and words.search(container.message) and init in (None, container.init):
                said = symptoms.last_line(pod.name, container.name)
                # Of one that crashes again and again Kubernetes says only that; the program itself says why.
                told = (said or container.message) if container.reason == CRASHING else container.message or said
                yield Sighting(pod.name, f"{container.reason}: {told}" if told else container.reason, pod.created)

    return find


def ended(reason: str, *, part: str = "", init: bool | None = None) -> Finder:
    """Containers that ended so, now or before their last restart; `part` is a pattern of the pod's name."""
    reasons, parts = re.compile(reason), re.compile(part)

    def find(symptoms: Symptoms) -> Iterator[Sighting]:
        for pod, container in symptoms.containers:
            ending = container.ended or (None if container.ready else container.last)
            fits = ending and reasons.fullmatch(ending.reason) and parts.search(pod.name)
            if ending and fits and (ending.code or ending.reason == "OOMKilled") and init in (None, container.init):
                told = symptoms.last_line(pod.name, container.name) or ending.message
                words = f"{container.name} ended with {ending.reason} (exit code {ending.code})"
                yield Sighting(pod.name, f"{words}: {told}" if told else words, pod.created)

    return find


def unschedulable(pattern: str) -> Finder:
    """Pods that no node takes, for such a reason. Placeholders only wait to be pushed aside: they do not count."""
    words = re.compile(pattern, re.IGNORECASE)

    def find(symptoms: Symptoms) -> Iterator[Sighting]:
        coming = {each.about for each in symptoms.events if each.reason == "TriggeredScaleUp"}
        for pod in symptoms.pods:
            if pod.phase != "Pending" or pod.name.startswith("user-placeholder") or f"Pod/{pod.name}" in coming:
                continue
            for condition in pod.conditions:
                stuck = condition.kind == "PodScheduled" and condition.value == "False"
                if stuck and words.search(condition.message):
                    yield Sighting(pod.name, condition.message, pod.created)

    return find


def logged(pattern: str, *, part: str = "") -> Finder:
    """Lines that a container in trouble printed; `part` is a pattern of `pod/container`."""
    words, parts = re.compile(pattern, re.IGNORECASE), re.compile(part)

    def find(symptoms: Symptoms) -> Iterator[Sighting]:
        for where, lines in symptoms.logs.items():
            if parts.search(where):
                found = [line for line in lines if words.search(line)]
                yield from (Sighting(where.partition("/")[0], line) for line in found[-1:])

    return find


def failed(pattern: str) -> Finder:
    """The line of what the failed build, launch or sign-in said."""
    words = re.compile(pattern, re.IGNORECASE)

    def find(symptoms: Symptoms) -> list[Sighting]:
        said = [line for line in symptoms.failure.splitlines() if words.search(line)]
        return [Sighting("", line) for line in said[-1:]]

    return find


def unhealthy(service: str) -> Finder:
    """A check of the hub's own health page that fails."""
    return lambda symptoms: [Sighting("The hub's own check", one) for one in symptoms.unhealthy if service in one]


def pressure(kind: str) -> Finder:
    """Nodes that say they are short of something."""

    def find(symptoms: Symptoms) -> Iterator[Sighting]:
        for node in symptoms.nodes or ():
            for one in node.pressures:
                if one.kind == kind:
                    yield Sighting(node.name, f"{one.kind}: {one.message or one.reason}")

    return find


def evicted(pattern: str) -> Finder:
    """Pods that a node has thrown out lately, for such a reason; Kubernetes keeps them long after others took over."""
    words = re.compile(pattern, re.IGNORECASE)

    def find(symptoms: Symptoms) -> Iterator[Sighting]:
        for pod in symptoms.pods:
            if pod.reason == "Evicted" and words.search(pod.message) and symptoms.age(pod.changed) < LATELY:
                yield Sighting(pod.name, pod.message)

    return find


def anywhere(pattern: str) -> Finder:
    """In events, in what containers say or print, or in the failure itself."""
    return either(event(pattern), waiting(".+", pattern), logged(pattern), failed(pattern))
