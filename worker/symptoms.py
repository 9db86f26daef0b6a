"""Everything inside a hub that a diagnosis may need, gathered over the wire in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from cloud.errors import Unavailable
from cloud.kubernetes import KubernetesCluster
from cloud.kubernetes_inside import Container, ContainerLog, PodDetail
from deployments.diagnosis import Symptoms

#: Questions asked at once, logs read in one go, lines of each.
WIDTH, LOGS, LINES = 6, 12, 100
#: Parts whose logs tell of troubles also while they run.
TALKATIVE = frozenset({"hub", "binder", "autohttps"})
#: Of a part that runs only what it said lately counts.
LATELY = timedelta(minutes=15)


def gather(
    cluster: KubernetesCluster,
    namespace: str,
    now: datetime,
    *,
    unhealthy: Sequence[str] = (),
    failure: str = "",
) -> Symptoms:
    """One look; where the cluster does not answer at all, the symptom is just that.

    :raises SlipwayError: the cluster answers, but refuses.
    """
    with ThreadPoolExecutor(WIDTH, thread_name_prefix="symptoms") as pool:
        pods = pool.submit(cluster.pod_details, namespace)
        nodes = pool.submit(cluster.node_details)
        events = pool.submit(cluster.events, namespace)
        services = pool.submit(cluster.services, namespace)
        claims = pool.submit(cluster.volume_claims, namespace)
        try:
            worth = list(_worth_reading(pods.result()))[:LOGS]
            logs = dict(pool.map(_reader(cluster, namespace, now), worth))
            if crashed := [(pod, container) for pod, container in worth if _waits_to_start_again(container)]:
                begun = _begun_since(crashed, cluster.pod_details(namespace))
                logs |= dict(pool.map(_reader(cluster, namespace, now), begun))
            seen = pods.result(), nodes.result(), events.result(), services.result(), claims.result()
        except Unavailable as error:
            return Symptoms(unhealthy=unhealthy, failure=failure, silence=error.user_message, now=now)
    return Symptoms(*seen, logs, unhealthy, failure, now=now)


def _worth_reading(pods: Sequence[PodDetail]) -> Iterator[tuple[PodDetail, Container]]:
    """Containers in trouble first, then the parts that tell of other troubles while they run."""
    ours = [(pod, container) for pod in pods for container in pod.containers if _has_printed(container)]
    yield from ((pod, container) for pod, container in ours if _in_trouble(container))
    yield from ((pod, container) for pod, container in ours if container.ready and pod.component in TALKATIVE)


def _waits_to_start_again(container: Container) -> bool:
    return container.state == "waiting" and container.last is not None


def _begun_since(
    crashed: Sequence[tuple[PodDetail, Container]], pods: Sequence[PodDetail]
) -> Iterator[tuple[PodDetail, Container]]:
    """Those started anew between the look at them and the reading of their logs, as they are now."""
    before = {(pod.name, container.name): container.restarts for pod, container in crashed}
    for pod in pods:
        for container in pod.containers:
            if container.restarts > before.get((pod.name, container.name), container.restarts):
                yield pod, container


def _has_printed(container: Container) -> bool:
    return container.state in ("running", "terminated") or container.last is not None


def _in_trouble(container: Container) -> bool:
    if container.state == "terminated":
        return bool(container.ended and container.ended.code)
    return not container.ready


def _reader(
    cluster: KubernetesCluster, namespace: str, now: datetime
) -> Callable[[tuple[PodDetail, Container]], tuple[str, list[str]]]:
    def read(one: tuple[PodDetail, Container]) -> tuple[str, list[str]]:
        pod, container = one
        # One that has just been started anew has said nothing yet: what ended it is in the log before.
        previous = container.state == "running" and container.last is not None and not container.ready
        try:
            log = cluster.container_log(namespace, pod.name, container.name, previous=previous, tail=LINES)
        except Unavailable:
            # Its machine is lost, not the cluster: that is among the symptoms anyway.
            log = ContainerLog(())
        lines = [line.text for line in log.lines if not container.ready or line.at is None or now - line.at < LATELY]
        return f"{pod.name}/{container.name}", lines

    return read
