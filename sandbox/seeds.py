"""The simulated world's first inhabitants. Fixed, so that a demo and a test can name them."""

from __future__ import annotations

from typing import Any

TENANT_ID = "5117a000-0000-4000-8000-000000000001"
WEB_CLIENT_ID = "5117a000-0000-4000-8000-0000000000a1"
WORKER_CLIENT_ID = "5117a000-0000-4000-8000-0000000000a2"
PORTAL_VAULT = "slipway-portal"

SUBSCRIPTIONS: list[dict[str, Any]] = [
    {
        "id": "5117a000-0000-4000-8000-00000000c001",
        "name": "Research computing",
        "kind": "PayAsYouGo",
        "cores": 400,
    },
    {"id": "5117a000-0000-4000-8000-00000000c002", "name": "Free Trial", "kind": "FreeTrial", "cores": 4},
]

DOCKER_ACCOUNTS: list[dict[str, Any]] = [
    {"username": "slipwaydemo", "token": "dckr_pat_demo", "organisations": ["slipwayorg"]},
]

#: Neither Docker Hub's nor Azure's: one that gives out tokens as Harbor does, one with plain passwords.
OTHER_REGISTRIES: list[dict[str, Any]] = [
    {
        "name": "university",
        "kind": "token",
        "projects": {"research": {"public": True}, "closed": {"public": False}},
        "users": [{"username": "robot-slipway", "password": "registry-demo-token", "projects": ["research", "closed"]}],
    },
    {
        "name": "departmental",
        "kind": "basic",
        "projects": {"research": {"public": True}},
        "users": [{"username": "slipway", "password": "registry-demo-password", "projects": ["research"]}],
    },
]

GITHUB_APPS: list[dict[str, Any]] = [
    {
        "client_id": "Ov23liSlipwayDemo001",
        "client_secret": "github-demo-secret",
        "callback": "",  # "" accepts every callback: the demo cannot know the address beforehand
    },
]

#: Personal access tokens, with the private repositories that each may read.
GITHUB_TOKENS: list[dict[str, Any]] = [
    {"token": "github_pat_demo", "login": "octocat", "repositories": ["slipwayorg/closed-data"]},
]

GITHUB_USERS: list[dict[str, Any]] = [
    {"login": "octocat", "name": "The Octocat", "organisations": ["slipwayorg"]},
    {"login": "hubot", "name": "Hubot", "organisations": []},
]
