"""GET of a pod's log, at once or line by line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from sandbox.kubernetes import errors
from sandbox.kubernetes.logs import Line, PodLogs

Body = dict[str, Any]


def respond(logs: PodLogs, pod: Body, query: QueryParams) -> Response:
    """Raises 400 for a container that has not started, or that the pod does not have."""
    name = _container(pod, query.get("container"))
    _check_started(pod, name, query.get("previous") == "true")
    tail, since = query.get("tailLines"), query.get("sinceSeconds")
    stamped = query.get("timestamps") == "true"

    def show(entry: Line) -> bytes:
        head = f"{_nanoseconds(entry[0])} " if stamped else ""
        return f"{head}{entry[1]}\n".encode()

    uid = pod["metadata"]["uid"]
    lines = logs.read(
        uid,
        name,
        previous=query.get("previous") == "true",
        tail=int(tail) if tail else None,
        since=float(since) if since else None,
    )
    first = [show(line) for line in lines]
    if query.get("follow") == "true":
        return StreamingResponse(logs.follow(uid, name, first, show), media_type="text/plain")
    limit = query.get("limitBytes")
    # The oldest bytes are the ones that are sent: the rest of the log is cut off, also within a line.
    return PlainTextResponse(b"".join(first)[: int(limit) if limit else None])


def _nanoseconds(moment: float) -> str:
    """A log line's stamp (RFC 3339), trailing zeros left off as Go writes it."""
    at = datetime.fromtimestamp(moment, UTC)
    fraction = f"{int(moment * 1e6) % 1_000_000:06d}".rstrip("0")
    return f"{at:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}Z"


def _container(pod: Body, asked: str | None) -> str:
    names = [container["name"] for container in pod["spec"]["containers"]]
    others = [container["name"] for container in pod["spec"].get("initContainers") or []]
    pod_name = pod["metadata"]["name"]
    if asked and asked not in names + others:
        raise errors.bad_request(f"container {asked} is not valid for pod {pod_name}")
    if not asked and len(names) > 1:
        listed = " ".join(names)
        raise errors.bad_request(
            f"a container name must be specified for pod {pod_name}, choose one of: [{listed}]"
            + (f" or one of the init containers: [{' '.join(others)}]" if others else "")
        )
    return asked or names[0]


def _check_started(pod: Body, name: str, previous: bool) -> None:
    statuses = [*pod["status"].get("containerStatuses", []), *pod["status"].get("initContainerStatuses", [])]
    state = next((status for status in statuses if status["name"] == name), None)
    where = f'container "{name}" in pod "{pod["metadata"]["name"]}"'
    if previous and (state is None or not state.get("restartCount")):
        raise errors.bad_request(f"previous terminated {where} not found")
    if state is None or ("waiting" in state["state"] and not state.get("lastState")):
        reason = state["state"]["waiting"]["reason"] if state else "ContainerCreating"
        raise errors.bad_request(f"{where} is waiting to start: {reason}")
