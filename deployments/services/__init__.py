"""Every decision about a hub: one conditional UPDATE in one transaction. Who changes no row lost the race."""

from deployments.services.changing import change, rotate, start, stop, try_launch, withdraw
from deployments.services.cleaning import clean_up
from deployments.services.deciding import approve, approve_change, reject, reject_change
from deployments.services.ending import extend, take_down_expired, tear_down
from deployments.services.holding import hold
from deployments.services.requesting import check_policy, request_hub
from deployments.services.running import STOPPED_EVEN_WHEN_DONE, cancel, finish, retry
from deployments.services.secrets import DOCKER_TOKEN, GITHUB_SECRET, HUB_TOKENS, PRIVATE_TOKEN, REGISTRY_TOKEN
from deployments.services.tending import build_again, forget, leave_as_is, look_now, put_back

__all__ = [
    "DOCKER_TOKEN",
    "GITHUB_SECRET",
    "HUB_TOKENS",
    "PRIVATE_TOKEN",
    "REGISTRY_TOKEN",
    "STOPPED_EVEN_WHEN_DONE",
    "approve",
    "approve_change",
    "build_again",
    "cancel",
    "change",
    "check_policy",
    "clean_up",
    "extend",
    "finish",
    "forget",
    "hold",
    "leave_as_is",
    "look_now",
    "put_back",
    "reject",
    "reject_change",
    "request_hub",
    "retry",
    "rotate",
    "start",
    "stop",
    "take_down_expired",
    "tear_down",
    "try_launch",
    "withdraw",
]
