"""What kinds there are: legacy and aggregated discovery, the version, and OpenAPI as far as Helm asks."""

from __future__ import annotations

import functools
from typing import Any

from sandbox.kubernetes.kinds import GROUP_VERSIONS, Kind, of_group

Document = dict[str, Any]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
GROUPS = [(group, version) for group, version in GROUP_VERSIONS if group]


def version(git_version: str) -> Document:
    major, minor = git_version.removeprefix("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": git_version,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "go1.25.0",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def _verbs(kind: Kind) -> list[str]:
    return ["create"] if kind.create_only else VERBS


@functools.cache
def resource_list(group: str, group_version: str) -> Document | None:
    """The legacy APIResourceList of `/api/v1` or `/apis/<group>/<version>`."""
    found = of_group(group, group_version)
    if not found:
        return None
    listed: list[Document] = []
    for kind in found:
        entry: Document = {
            "name": kind.resource,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": _verbs(kind),
        }
        listed.append(entry | ({"shortNames": list(kind.short)} if kind.short else {}))
        listed += [_subresource(kind, name) for name in kind.subresources]
    name = f"{group}/{group_version}" if group else group_version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}


def _subresource(kind: Kind, name: str) -> Document:
    entry = {"name": f"{kind.resource}/{name}", "singularName": "", "namespaced": kind.namespaced, "kind": kind.kind}
    if name == "scale":
        entry |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    return entry | {"verbs": ["get"] if name == "log" else ["get", "patch", "update"]}


@functools.cache
def aggregated(core: bool) -> Document:
    """The APIGroupDiscoveryList of `/api` (core) or `/apis`."""
    pairs = [pair for pair in GROUP_VERSIONS if (pair[0] == "") == core]
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
            "versions": [{"version": at, "resources": _discovered(group, at), "freshness": "Current"}],
        }
        for group, at in pairs
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _discovered(group: str, at: str) -> list[Document]:
    return [_discovered_kind(kind) for kind in of_group(group, at)]


def _discovered_kind(kind: Kind) -> Document:
    response = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    entry: Document = {
        "resource": kind.resource,
        "responseKind": response,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": _verbs(kind),
    }
    if kind.short:
        entry["shortNames"] = list(kind.short)
    if kind.subresources:
        entry["subresources"] = [
            {"subresource": name, "responseKind": response, "verbs": _subresource(kind, name)["verbs"]}
            for name in kind.subresources
        ]
    return entry


def api_versions(server: str) -> Document:
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}],
    }


def group(name: str) -> Document | None:
    versions = [{"groupVersion": f"{name}/{at}", "version": at} for found, at in GROUPS if found == name]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]} if versions else None


@functools.cache
def group_list() -> Document:
    names = dict.fromkeys(name for name, _ in GROUPS)
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(name) for name in names]}


@functools.cache
def openapi_index() -> Document:
    paths = [f"apis/{name}/{at}" if name else f"api/{at}" for name, at in GROUP_VERSIONS]
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash=1"} for path in paths}}


@functools.cache
def openapi_document(name: str, at: str) -> Document | None:
    """Only what clients look for: which kinds take a fieldValidation parameter on PATCH."""
    found = [kind for kind in of_group(name, at) if not kind.create_only]
    if not found:
        return None
    root = f"/apis/{name}/{at}" if name else f"/api/{at}"
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": {_path(root, kind): {"patch": _patch(kind)} for kind in found},
    }


def _path(root: str, kind: Kind) -> str:
    space = "/namespaces/{namespace}" if kind.namespaced else ""
    return f"{root}{space}/{kind.resource}/{{name}}"


def _patch(kind: Kind) -> Document:
    names = ("dryRun", "fieldManager", "fieldValidation", "force")
    return {
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {"group": kind.group, "kind": kind.kind, "version": kind.version},
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names],
        "responses": {"200": {"description": "OK"}},
    }
