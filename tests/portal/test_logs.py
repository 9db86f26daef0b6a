"""Log lines: one shape, who and what they are about, and no secret in any part of them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from structlog.contextvars import bound_contextvars

from accounts.models import User
from deployments import redaction
from portal import logs

SECRET = 's3cret/with "quotes" and ü'
Written = Callable[[], list[dict[str, Any]]]


@contextmanager
def listening(shape: str) -> Iterator[io.StringIO]:
    """What the root logger's own handler would write in that shape."""
    stream = io.StringIO()
    handler = logs.Handler(stream)
    handler.setFormatter(logs.formatter(shape))
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel("INFO")
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


@pytest.fixture(params=["json", "line"])
def stream(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    redaction.remember(SECRET)
    with listening(request.param) as written:
        yield written


@pytest.fixture
def written() -> Iterator[Written]:
    with listening("json") as stream:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def _in_an_exception() -> None:
    try:
        raise ValueError(f"refused: {SECRET}")
    except ValueError:
        logging.getLogger("x").exception("it failed")


def _in_a_cause() -> None:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise RuntimeError("outer") from error
    except RuntimeError:
        logging.getLogger("x").warning("it failed", exc_info=True)


class Holder:
    def __str__(self) -> str:
        return f"Holder({SECRET})"


WAYS: dict[str, Callable[[], None]] = {
    "the message": lambda: logging.getLogger("x").info(f"with {SECRET} inside"),
    "an argument": lambda: logging.getLogger("x").info("with %s inside", SECRET),
    "an argument that is an object": lambda: logging.getLogger("x").info("with %s inside", Holder()),
    "an exception": _in_an_exception,
    "an exception's cause": _in_a_cause,
    "a field": lambda: logging.getLogger("x").info("said", extra={"answer": f"body {SECRET}"}),
    "a field deep inside": lambda: logging.getLogger("x").info("said", extra={"answer": {"a": [{"b": (SECRET,)}]}}),
    "a field's own key": lambda: logging.getLogger("x").info("said", extra={"answer": {SECRET: 1}}),
    "a field that is an object": lambda: logging.getLogger("x").info("said", extra={"answer": Holder()}),
    "a field of bytes": lambda: logging.getLogger("x").info("said", extra={"answer": SECRET.encode()}),
    "the stack": lambda: logging.getLogger("x").info("said %s", SECRET, stack_info=True),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_masked_wherever_it_stands(way: str, stream: io.StringIO) -> None:
    WAYS[way]()
    text = stream.getvalue()
    assert redaction.MASK in text
    assert not any(spelling in text for spelling in (SECRET, json.dumps(SECRET)[1:-1], repr(SECRET)[1:-1]))


def test_a_secret_in_what_was_bound_is_masked(stream: io.StringIO) -> None:
    with bound_contextvars(answer=SECRET):
        logging.getLogger("x").info("said")
    assert SECRET not in stream.getvalue() and redaction.MASK in stream.getvalue()


@pytest.mark.parametrize("name", ["password", "client_secret", "Authorization", "api_key", "token", "session_cookie"])
def test_a_field_of_a_telling_name_is_masked_whatever_it_holds(name: str, stream: io.StringIO) -> None:
    logging.getLogger("x").info("said", extra={"sent": {name: "never seen before", "kind": "harmless"}})
    assert "never seen before" not in stream.getvalue() and "harmless" in stream.getvalue()


def test_a_line_that_cannot_be_written_is_not_repeated_raw(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    handler = logs.Handler(stream)
    handler.setFormatter(logs.formatter("json"))
    handler.handle(logging.LogRecord("x", logging.INFO, __file__, 1, "%d of them", (SECRET,), None))
    said = capsys.readouterr()
    assert stream.getvalue() == "A log line of x (test_logs.py:1) could not be written.\n"
    assert said.out + said.err == ""


def test_json_lines_are_objects_with_the_same_first_fields(written: Written) -> None:
    logging.getLogger("a.b").warning("two\nlines", extra={"number": 7, "nothing": None})
    (line,) = written()
    assert list(line)[:4] == ["at", "level", "logger", "event"]
    assert (line["level"], line["logger"], line["event"], line["number"]) == ("warning", "a.b", "two\nlines", 7)
    assert line["at"].endswith("Z")


def test_a_traceback_is_a_field_of_its_own(written: Written) -> None:
    _in_an_exception()
    assert "Traceback" in written()[0]["exception"] and "\n" not in written()[0]["event"]


def test_what_is_bound_is_told_with_every_line(written: Written) -> None:
    with bound_contextvars(operation="op-1", deployment="d-1", step="cluster"):
        logging.getLogger("worker.x").info("made")
    logging.getLogger("worker.x").info("afterwards")
    told, afterwards = written()
    assert (told["operation"], told["deployment"], told["step"]) == ("op-1", "d-1", "cluster")
    assert "operation" not in afterwards


def test_a_readable_line_has_its_fields_at_its_end() -> None:
    with listening("line") as stream, bound_contextvars(operation="op-1"):
        logging.getLogger("x").warning("it is slow")
    assert stream.getvalue().endswith(" WARNING x it is slow operation=op-1\n")


@pytest.mark.parametrize(("level", "shape"), [("LOUD", "json"), ("INFO", "xml")])
def test_a_level_or_shape_that_is_none_is_refused(level: str, shape: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="must be one of"):
        logs.configuration(level, shape)


def test_every_request_is_told_once_with_its_person_and_number(
    written: Written, client: Client, people: dict[str, User]
) -> None:
    client.force_login(people["researcher"], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/?code=only-for-me", headers={"X-Request-ID": "proxy-number-1"})
    (line,) = [line for line in written() if line["logger"] == "slipway.access"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/", 200)
    assert line["user"] == people["researcher"].pk
    assert line["request_id"] == answer.headers["X-Request-ID"] == "proxy-number-1"
    assert "only-for-me" not in json.dumps(line)


def test_a_made_up_number_that_is_none_is_replaced(written: Written, client: Client) -> None:
    answer = client.get("/nowhere/", headers={"X-Request-ID": "x\n{evil}"})
    assert answer.headers["X-Request-ID"].isalnum() and "evil" not in str(written())


def test_what_a_view_logs_carries_request_and_person(written: Written, client: Client, people: dict[str, User]) -> None:
    client.force_login(people["researcher"], backend="django.contrib.auth.backends.ModelBackend")
    client.get("/nowhere/", headers={"X-Request-ID": "proxy-number-2"})
    (line,) = [line for line in written() if line["logger"] == "deployments.views.errors"]
    assert line["request_id"] == "proxy-number-2"


def test_probes_are_not_told_while_they_are_well(written: Written, client: Client, db: None) -> None:
    client.get("/healthz")
    client.get("/readyz")
    assert written() == []
