"""Style sheets and scripts, served by the portal itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise as an ASGI server wants it: a small file is one answer, not a stream read by a thread."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        """`collectstatic` makes the folder for a container; on one machine the files are found where they lie."""
        if Path(root).is_dir():
            super().add_files(root, prefix)

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        answer = HttpResponse(content, status=int(found.status))
        del answer["content-type"]
        for name, value in found.headers:
            answer[name] = value
        if content:
            answer["Content-Length"] = str(len(content))  # the file may have been replaced since the start
        return answer
