"""GitHub's settings pages as far as a hub needs them: its form for a new OAuth app, and the list of those there are."""

from __future__ import annotations

import html
import secrets

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox import seeds
from sandbox.core import Core

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} (sandbox)</title></head>
<body><main><h1>{title}</h1><p>This is the sandbox's stand-in for GitHub.</p>{content}</main></body></html>
"""
#: Name of the query's field, and what GitHub calls it.
FIELDS = {"name": "Application name", "url": "Homepage URL", "callback_url": "Authorization callback URL"}


def new_app(request: Request) -> Response:
    """The form, filled in with what the address says."""
    fields = ""
    for key, label in FIELDS.items():
        name = f"oauth_application[{key}]"
        value = html.escape(request.query_params.get(name, ""))
        fields += f'<p><label>{label}<br><input name="{name}" value="{value}" size="80" required></label></p>'
    form = f'<form method="post" action="/github/settings/applications">{fields}'
    return _page("Register a new OAuth app", form + "<button>Register application</button></form>")


def registered(core: Core, form: dict[str, str]) -> Response:
    """Makes the app, and shows its client secret this once."""
    values = {key: form.get(f"oauth_application[{key}]", "").strip() for key in FIELDS}
    if not all(values.values()):
        return _page("Register a new OAuth app", "<p>Every field is needed.</p>", 422)
    client_id, secret = f"Ov23li{secrets.token_hex(7)}", secrets.token_hex(20)
    app = {"client_id": client_id, "client_secret": secret, "callback": values["callback_url"], "name": values["name"]}
    core.state.bucket("github.apps").put(client_id, app)
    told = f'<p>Client ID <code id="client-id">{client_id}</code></p>'
    told += f'<p>Client secret <code id="client-secret">{secret}</code></p>'
    return _page(html.escape(values["name"]), told)


def apps(core: Core) -> Response:
    names = [str(app.get("name") or app["client_id"]) for _, app in core.state.bucket("github.apps").items()]
    names += [str(app["client_id"]) for app in seeds.GITHUB_APPS]
    return _page("OAuth apps", "<ul>" + "".join(f"<li>{html.escape(name)}</li>" for name in names) + "</ul>")


def _page(title: str, content: str, status: int = 200) -> Response:
    return HTMLResponse(PAGE.format(title=title, content=content), status)
