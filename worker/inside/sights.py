"""What a look shows: one function for each kind of thing, from the cluster to JSON that a page can draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils import timezone

from cloud.errors import InvalidRequest, PermanentError
from cloud.kubernetes import Event
from cloud.kubernetes_inside import PodDetail
from deployments.diagnosis import diagnose
from deployments.diagnosis.symptoms import PASSING
from deployments.inside.subjects import Subject
from worker.inside import bounds, checkup
from worker.inside.hub import Inside
from worker.symptoms import gather

Json = dict[str, Any]
#: Rows shown at the most; what people do comes after the hub's own parts.
PODS, EVENTS = 200, 100
GONE = PermanentError(
    "There is no pod of this name any more.", "Pods come and go: look at the list for the one that took its place."
)


def overview(inside: Inside, _subject: Subject, _before: Json) -> Json:
    """Pods, machines, addresses, disks, events, and what seems to be wrong."""
    cluster = inside.open()
    symptoms = gather(cluster, inside.namespace, timezone.now(), unhealthy=checkup.failing(inside.hub))
    found = diagnose(symptoms)
    checkup.keep(inside.hub, found)
    pods = sorted(symptoms.pods, key=lambda pod: (pod.component in PASSING, pod.name))
    return {
        "diagnoses": bounds.plain(found),
        "silence": bounds.plain(symptoms.silence),
        "pods": [_row(each) for each in pods[:PODS]],
        "more_pods": max(0, len(pods) - PODS),
        "nodes": bounds.plain(symptoms.nodes or ()),
        "services": [{**bounds.plain(each), "annotations": {}} for each in symptoms.services],
        "claims": bounds.plain(symptoms.claims),
        "events": _newest(symptoms.events),
    }


def history(inside: Inside, _subject: Subject, _before: Json) -> Json:
    """Helm's revisions, newest first."""
    inside.open()
    return {"revisions": bounds.plain(inside.history())}


def pod(inside: Inside, subject: Subject, _before: Json) -> Json:
    """All that Kubernetes says of one pod, and what was noted about it."""
    cluster = inside.open()
    found = cluster.pod_detail(inside.namespace, subject.pod)
    if found is None:
        raise GONE
    about = f"Pod/{subject.pod}"
    events = [each for each in cluster.events(inside.namespace) if each.about == about]
    return {"pod": _row(found) | bounds.plain(found), "events": _newest(events)}


def log(inside: Inside, subject: Subject, before: Json) -> Json:
    """The last lines of one container, and which others there are."""
    cluster = inside.open()
    found = cluster.pod_detail(inside.namespace, subject.pod)
    if found is None:
        if not before:
            raise GONE
        return before | {"gone": True}  # what it had printed stays to be read
    container = subject.container or next(each.name for each in found.containers if not each.init)
    if container not in {each.name for each in found.containers}:
        raise InvalidRequest(f"The pod has no container {container}.", "Choose one from the pod's page.")
    read = cluster.container_log(inside.namespace, subject.pod, container, previous=subject.previous, tail=bounds.LINES)
    return {
        "container": container,
        "containers": [{"name": each.name, "init": each.init, "restarts": each.restarts} for each in found.containers],
        "pod": _row(found),
        "lines": bounds.log_lines(read.lines, before.get("lines", ())),
        "full": len(read.lines) >= bounds.LINES,
        "problem": bounds.plain(read.problem),
        "gone": False,
    }


SIGHTS: dict[str, Callable[[Inside, Subject, Json], Json]] = {
    "overview": overview,
    "history": history,
    "pod": pod,
    "log": log,
}


def _row(found: PodDetail) -> Json:
    own = [each for each in found.containers if not each.init]
    row: Json = bounds.plain(
        {
            "name": found.name,
            "component": found.component,
            "status": found.status,
            "ready": found.ready,
            "ready_count": sum(each.ready for each in own),
            "count": len(own),
            "unplaced": found.waits_for_node,
            "restarts": found.restarts,
            "node": found.node,
            "created": found.created,
        }
    )
    return row


def _newest(events: Sequence[Event]) -> list[Json]:
    shown: list[Json] = bounds.plain(list(reversed(events))[:EVENTS])
    return shown
