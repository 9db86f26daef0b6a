"""How many queries pages take: `python -m bench.queries PERSON`, in a web process's environment.

Reads JSON, a list of paths for each page; prints JSON, the least and the most queries that one look at it takes.
"""

from __future__ import annotations

import json
import sys

import django


def main(username: str, pages: dict[str, list[str]]) -> None:
    django.setup()
    from django.test import Client

    from accounts.models import User

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    counts = {name: [_count(client, path) for path in paths] for name, paths in pages.items()}
    print(json.dumps({name: [min(found), max(found)] for name, found in counts.items()}))


def _count(client: django.test.Client, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/{path}").status_code == 200, path
    return len(captured)


if __name__ == "__main__":
    main(sys.argv[1], json.load(sys.stdin))
