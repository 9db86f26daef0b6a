"""The pages a person can open on a hub. Plain files beside this one; `@@name@@` stands for what is put in."""

from __future__ import annotations

import html
import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse

from sandbox.hubs.installed import Body, Installed

FOLDER = Path(__file__).parent


@lru_cache
def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _page(name: str, status: int = 200, **parts: str) -> HTMLResponse:
    text = _file(name)
    for key, value in ({"style": _file("style.css")} | parts).items():
        text = text.replace(f"@@{key}@@", value)
    return HTMLResponse(text, status)


def _json(value: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value).replace("<", "\\u003c")


def binder(config: Body, about: dict[str, str], status: int = 200) -> HTMLResponse:
    """The form that launches a repository. `about`: banner and header, the operator's own HTML."""
    banner = f'<div class="banner">{about["banner"]}</div>' if about["banner"] else ""
    parts = {"config": _json(config), "banner": banner, "header": about["header"], "script": _file("binder.js")}
    return _page("binder.html", status, **parts)


def lab(server: Body, user: str, token: str) -> HTMLResponse:
    parts = {key: html.escape(str(server[key])) for key in ("image", "repo_url")}
    return _page("lab.html", user=html.escape(user), config=_json({"token": token}), **parts)


def message(title: str, body: str, status: int = 200) -> HTMLResponse:
    return _page("message.html", status, title=html.escape(title), body=body)


def problem(status: int, text: str) -> HTMLResponse:
    return message(f"{status}", f"<p>{html.escape(text)}</p>", status)


def login(hub: Installed, kind: str, following: str) -> HTMLResponse:
    query = urlencode({"next": following})
    if kind == "github":
        where = html.escape(f"{hub.base_url}hub/oauth_login?{query}")
        return message("Sign in", f'<p><a class="button" href="{where}">Sign in with GitHub</a></p>')
    action = html.escape(f"{hub.base_url}hub/login?{query}")
    form = f'<form method="post" action="{action}"><label>Username <input name="username" required></label>'
    return message("Sign in", form + '<button class="button">Sign in</button></form>')


def confirm(hub: Installed, service: str, where: str) -> HTMLResponse:
    text = f"<p>May <b>{html.escape(service)}</b> know who you are?</p>"
    return message("Authorize access", f'{text}<p><a class="button" href="{html.escape(where)}">Authorize</a></p>')


def home(hub: Installed, user: str, server: Body | None) -> HTMLResponse:
    where = html.escape(f"{hub.base_url}user/{user}/lab")
    running = (
        f'<p><a class="button" href="{where}">My server</a></p>' if server else "<p>You have no running server.</p>"
    )
    out = html.escape(f"{hub.base_url}hub/logout")
    return message(f"Hello, {user}", f'{running}<p><a href="{out}">Sign out</a></p>')
