"""Every call to the outside is told here: whom it asked, what came of it, how long it took.

Whoever wants to count them listens. All of `cloud/` speaks through four doors, and each of them tells: the client of
`cloud.web`, the SDKs' transport, the cluster's client, and Helm.
"""

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: Modules of `cloud/` that speak HTTP by themselves, and whom they ask, in an operator's words.
SERVICES = {
    "any_registry": "registry",
    "binderhub": "hub",
    "build_stream": "hub",
    "chart_index": "charts",
    "chart_schema": "charts",
    "jupyterhub": "hub",
    "registries": "docker-hub",
    "repositories": "git",
    "vaults": "arm",
}
#: The code of a call that brought no answer.
FAILED = "failed"

Listener = Callable[[str, str, float], None]
_listeners: list[Listener] = []


@dataclass(slots=True)
class Call:
    """One call under way; whoever makes it sets what came of it: a status, Helm's exit code."""

    code: str = FAILED


def listen(listener: Listener) -> None:
    """From now on the listener is told service, code and seconds of every call; telling it twice is telling it once."""
    if listener not in _listeners:
        _listeners.append(listener)


def unlisten(listener: Listener) -> None:
    _listeners.remove(listener)


@contextmanager
def counted(service: str) -> Iterator[Call]:
    """Tells the listeners of what happens inside, also when it raises."""
    call, begun = Call(), time.monotonic()
    try:
        yield call
    finally:
        for listener in _listeners:
            listener(service, call.code, time.monotonic() - begun)


def asker() -> str:
    """Whom the module that called our caller asks: its own name, unless it has a better one. Nobody can forget it."""
    frame = inspect.currentframe()
    for _ in range(2):
        frame = frame.f_back if frame else None
    module = str(frame.f_globals.get("__name__", "")).rpartition(".")[2] if frame else ""
    return SERVICES.get(module, module)
