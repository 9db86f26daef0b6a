"""Somebody at the portal, by plain HTTP: signs in, looks at pages, presses buttons."""

from __future__ import annotations

import re
import statistics
import time
from typing import Self

import httpx

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Person:
    """One session."""

    def __init__(self, address: str, username: str, password: str) -> None:
        self.http = httpx.Client(base_url=address, follow_redirects=False, timeout=30)
        page = self.http.get("sign-in/")
        form = {"username": username, "password": password, "csrfmiddlewaretoken": token_of(page.text)}
        answer = self.http.post("sign-in/", data=form, headers={"Referer": address})
        assert answer.status_code == 302, f"{username} could not sign in: {answer.status_code}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def press(self, page: str, action: str, **fields: str) -> None:
        """Posts to `action` as the button on `page` does."""
        form = {**fields, "csrfmiddlewaretoken": token_of(self.http.get(page).text)}
        answer = self.http.post(action, data=form, headers={"Referer": str(self.http.base_url)})
        assert answer.status_code == 302, f"{action}: {answer.status_code}"

    def times(self, path: str, looks: int) -> tuple[float, float]:
        """Median and 95th percentile of loading a page, in milliseconds."""
        taken = []
        for _ in range(looks):
            began = time.perf_counter()
            answer = self.http.get(path)
            taken.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return statistics.median(taken), sorted(taken)[int(looks * 0.95) - 1]


def token_of(page: str) -> str:
    found = TOKEN.search(page)
    assert found, "the page has no form"
    return found[1]
