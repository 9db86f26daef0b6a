"""Lets django-rq's own pages keep their few inline pieces without opening the content policy to others."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.resources import files

from django.http import HttpRequest, HttpResponseBase

PAGES = "/admin/django_rq/"
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
#: Row clicks and margins, and a call to a jQuery plug-in that Django's admin no longer has: it starts by itself.
DISPENSABLE = re.compile(rb' (?:style|onclick)="[^"]*"|<script type="text/javascript">.*?</script>', re.DOTALL)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def queue_pages(get_response: GetResponse) -> GetResponse:
    """Allows the style blocks of the installed templates by their hashes; drops inline scripts and attributes."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.path.startswith(PAGES) and response.headers.get("Content-Type", "").startswith("text/html"):
            response.content = DISPENSABLE.sub(b"", response.content)  # type: ignore[attr-defined]
            response._csp_update = {"style-src": style_sources()}  # type: ignore[attr-defined]
        return response

    return middleware


@cache
def style_sources() -> list[str]:
    """What allows the blocks as the templates have them; an answer's own text is never asked."""
    folder = files("django_rq").joinpath("templates/django_rq")
    blocks = {block for page in folder.iterdir() for block in STYLE.findall(page.read_text())}
    return [f"'sha256-{b64encode(sha256(block.encode()).digest()).decode()}'" for block in sorted(blocks)]
