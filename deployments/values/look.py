"""How the hub looks: texts, and templates from a Git repository."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from deployments.spec import HubSpec

GIT_IMAGE = "alpine/git:v2.52.0"
VOLUME, FOLDER = "custom-templates", "/etc/binderhub/custom"


def look_values(spec: HubSpec, binder_path: str) -> dict[str, Any]:
    binder: dict[str, Any] = {}
    if spec.banner:
        binder["banner_message"] = escape(spec.banner)  # the page takes it as HTML
    if spec.title:
        binder["default_opengraph_title"] = spec.title
        binder["extra_header_html"] = {"10-title": _title_script(spec.title)}
    values: dict[str, Any] = {"config": {"BinderHub": binder}} if binder else {}
    if spec.template_repository:
        binder |= {
            "template_path": f"{FOLDER}/templates",
            "extra_static_path": f"{FOLDER}/static",
            "extra_static_url_prefix": "/extra_static/",
            # The binder puts its base_url before the prefix by itself, but not before what templates are told.
            "template_variables": {"EXTRA_STATIC_URL_PREFIX": f"{binder_path}extra_static/"},
        }
        values = {"config": {"BinderHub": binder}, **_clone(spec)}
    return values


def _title_script(title: str) -> str:
    """Sets the title once the page has its head; no character of it can end the script."""
    text = json.dumps(title).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script>document.addEventListener("DOMContentLoaded", () => {{ document.title = {text}; }});</script>'


def _clone(spec: HubSpec) -> dict[str, Any]:
    branch = ["--branch", spec.template_branch] if spec.template_branch else []
    mount = {"name": VOLUME, "mountPath": FOLDER}
    return {
        "initContainers": [
            {
                "name": "clone-templates",
                "image": GIT_IMAGE,
                "args": ["clone", "--depth=1", "--single-branch", *branch, "--", spec.template_repository, FOLDER],
                "securityContext": {"runAsUser": 0},
                "volumeMounts": [mount],
            }
        ],
        "extraVolumes": [{"name": VOLUME, "emptyDir": {}}],
        "extraVolumeMounts": [mount],
    }
