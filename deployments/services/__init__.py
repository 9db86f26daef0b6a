"""Every decision about a hub: one conditional UPDATE in one transaction. Who changes no row lost the race."""

from deployments.services.changing import change, rotate, start, stop, try_launch, withdraw
from deployments.services.deciding import approve, approve_change, reject, reject_change
from deployments.services.ending import extend, take_down_expired, tear_down
from deployments.services.requesting import check_policy, request_hub
from deployments.services.running import cancel, finish, retry
from deployments.services.secrets import DOCKER_TOKEN, GITHUB_SECRET, HUB_TOKENS, PRIVATE_TOKEN, REGISTRY_TOKEN

__all__ = [
    "DOCKER_TOKEN",
    "GITHUB_SECRET",
    "HUB_TOKENS",
    "PRIVATE_TOKEN",
    "REGISTRY_TOKEN",
    "approve",
    "approve_change",
    "cancel",
    "change",
    "check_policy",
    "extend",
    "finish",
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
