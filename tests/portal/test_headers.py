"""What browsers are told with every answer of a portal that serves others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User

PAGES = {
    "sign-in": ("/sign-in/", 200),
    "my hubs": ("/", 200),
    "the form": ("/hubs/new/", 200),
    "not there": ("/nowhere/", 404),
    "not signed in": ("/hubs/", 302),
    "a style sheet": ("/static/css/slipway.css", 200),
    "a probe": ("/healthz", 200),
}


@pytest.fixture
def served(settings: Any, people: dict[str, User]) -> Iterator[Client]:
    """A browser at a portal behind a TLS proxy, with the researcher signed in."""
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client = Client(headers={"X-Forwarded-Proto": "https"})
    client.force_login(people["researcher"], backend="django.contrib.auth.backends.ModelBackend")
    yield client


@pytest.mark.parametrize("shown", PAGES)
def test_every_answer_carries_the_safeguards(shown: str, served: Client) -> None:
    path, status = PAGES[shown]
    stranger = shown in ("not signed in", "sign-in")
    client = Client(headers={"X-Forwarded-Proto": "https"}) if stranger else served
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert len(answer.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize("shown", ["my hubs", "the form", "not there"])
def test_pages_have_a_strict_content_policy_and_no_frame(shown: str, served: Client) -> None:
    answer = served.get(PAGES[shown][0])
    policy = {line.split()[0]: line.split()[1:] for line in answer.headers["Content-Security-Policy"].split("; ")}
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:"} & {each for said in policy.values() for each in said}
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_cookies_stay_on_https_and_out_of_scripts(served: Client, people: dict[str, User]) -> None:
    fresh = Client(headers={"X-Forwarded-Proto": "https"})
    fresh.get("/sign-in/")
    answer = fresh.post("/sign-in/", {"username": "researcher", "password": "open sesame 7"})
    session, csrf = answer.cookies["slipway_session"], answer.cookies["csrftoken"]
    assert session["secure"] and session["httponly"] and session["samesite"] == "Lax"
    assert csrf["secure"] and csrf["samesite"] == "Lax"


def test_plain_http_is_sent_to_https(served: Client) -> None:
    answer = Client().get("/sign-in/")
    assert answer.status_code == 301 and answer.headers["Location"].startswith("https://")


@pytest.mark.parametrize("probe", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_answered_without_tls(probe: str, served: Client) -> None:
    assert Client().get(probe).status_code == 200
