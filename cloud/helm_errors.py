"""What Helm's complaints mean, and what must never be seen of them."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cloud.errors import Conflict, NotYet, PermanentError, PermissionDenied, SignInFailed, SlipwayError, Unavailable

AGAIN = "It is tried again by itself."
MASK = "•••"
SECRET_NAME = re.compile(r"password|passwd|secret|token|key|credential|cookie|auth", re.IGNORECASE)
SHORTEST_SECRET = 6
LINES_KEPT = 8


class HelmError(PermanentError):
    """Helm refused or failed; `lines` are the last useful ones of what it said, secrets masked."""

    def __init__(self, user_message: str, remedy: str = "", *, code: str = "", lines: tuple[str, ...] = ()) -> None:
        super().__init__(user_message, remedy, code=code)
        self.lines = lines


class ValuesRefused(HelmError):
    """The chart does not take the values; the lines name their paths."""


class Mask:
    """Hides a release's secrets in text, in every form that Helm may print them in."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        forms = {form for secret in _secrets(values or {}) for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text


def explain(what: str, stderr: str, mask: Mask) -> SlipwayError:
    """The typed error behind a Helm run that failed."""
    lines = tuple(without_values(mask(line)) for line in useful_lines(stderr))[-LINES_KEPT:]
    said = f" Helm said: “{' / '.join(lines)}”" if lines else ""
    text = stderr.lower()
    for words, error, why, remedy in SYMPTOMS:
        if any(word in text for word in words):
            message = f"We could not {what}: {why}.{said}"
            return error(message, remedy, lines=lines) if issubclass(error, HelmError) else error(message, remedy)
    remedy = "Read what Helm said; when it makes no sense to you, show it to whoever runs the portal."
    return HelmError(f"We could not {what}: Helm failed.{said}", remedy, lines=lines)


def useful_lines(stderr: str) -> list[str]:
    """What was said in earnest: no debug chatter, no stack of Go functions."""
    lines = [line.strip() for line in stderr.splitlines()]
    return [line for line in lines if line and "level=DEBUG" not in line and not GO_STACK.match(line)]


def progress_line(line: str) -> str:
    """A line of `--debug` output as a person reads it, "" for Helm talking to itself."""
    found = re.search(r'msg=("(?:[^"\\]|\\.)*"|\S+)(.*)', line)
    if not found:
        return line.strip() if not line.startswith("level=") else ""
    details = {key: value.strip('"') for key, value in DETAIL.findall(found[2])}
    kind = details.get("kind") or details.get("gvk", "").rpartition("Kind=")[2]
    message = found[1].strip('"').replace('\\"', '"')
    if "level=DEBUG" in line:
        told = PROGRESS.get(message, "")
        return told.format(kind=kind, name=details.get("name", ""), resources=details.get("resources", "")).strip()
    return f"{message} {details.get('error', '')}".strip()


def without_values(line: str) -> str:
    """A schema complaint with the offending value taken out: `at '/a/b': 'x' does not match …` loses the x."""
    return re.sub(r"(at '[^']*': )(?:'[^']*'|\"[^\"]*\"|\S+) (does not match|is not valid)", rf"\1{MASK} \2", line)


GO_STACK = re.compile(r"^(goroutine \d+|\S+\.go:\d+|\S+\(.*\)$|runtime\.|helm\.sh/|github\.com/|main\.main)")
#: Helm's debug messages that tell how far it is, as they are passed on.
PROGRESS = {
    "creating resource(s)": "Creating {resources} things in the cluster",
    "checking resources for changes": "Comparing {resources} things with those in the cluster",
    "Created resource via patch": "Created {kind} {name}",
    "Patched resource": "Updated {kind} {name}",
    "starting delete resource": "Removing {kind} {name}",
    "rolling back release": "Rolling back",
}
DETAIL = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')

#: How Go speaks of a connection that came to nothing.
WIRE = (
    "connection refused",
    "connection reset",
    "connection timed out",
    "broken pipe",
    "use of closed network connection",
    "network is unreachable",
    "no route to host",
    "i/o timeout",
    "tls handshake timeout",
    "no such host",
)
NO_ANSWER = "the cluster or the chart repository did not answer properly"
SYMPTOMS: tuple[tuple[tuple[str, ...], type[SlipwayError], str, str], ...] = (
    # First: a chart looks things up in the cluster, and a connection that breaks then is told as the chart's mistake.
    (WIRE, Unavailable, NO_ANSWER, AGAIN),
    (
        ("another operation (install/upgrade/rollback) is in progress", "release: already exists"),
        NotYet,
        "Helm is already at work on this hub",
        AGAIN,
    ),
    (
        ("don't meet the specifications of the schema", "values.schema.json"),
        ValuesRefused,
        "the chart does not accept the settings",
        "Change the settings named below, or choose a chart version that knows them.",
    ),
    (
        ("execution error at", "error calling include", "template:"),
        ValuesRefused,
        "the chart cannot be filled in with these settings",
        "Change the settings named below, or choose another chart version.",
    ),
    (
        ("chart not found", "no chart version found", "no chart name found", "version not found", "not found in http"),
        HelmError,
        "the chart repository has no such chart version",
        "Choose a chart version that the repository lists.",
    ),
    (
        ("unauthorized", "you must be logged in", "certificate required"),
        SignInFailed,
        "the cluster does not accept the portal's credentials",
        "They are fetched again when you retry.",
    ),
    (
        ("conflict with", "the object has been modified"),
        Conflict,
        "somebody else has changed the same things in the cluster",
        "Have those changes taken back, or take the hub down and request it anew.",
    ),
    (("being terminated",), NotYet, "the namespace is still being deleted", AGAIN),
    (
        ("forbidden",),
        PermissionDenied,
        "the cluster does not let the portal do that",
        "The portal needs administrator's credentials of the cluster.",
    ),
    (
        (
            "cluster unreachable",
            "context deadline exceeded",
            "unexpected eof",
            ": eof",
            "server closed",
            "service unavailable",
            "bad gateway",
            "gateway timeout",
            "unable to handle the request",
            "etcdserver: ",
            "internal error occurred",
            "too many requests",
            "failed to fetch",
            "is not a valid chart repository",
            "http2: ",
        ),
        Unavailable,
        NO_ANSWER,
        AGAIN,
    ),
)


def _secrets(values: Any, name: str = "", hidden: bool = False) -> Iterator[str]:
    """Every text under a name that sounds secret."""
    hidden = hidden or bool(SECRET_NAME.search(name))
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from _secrets(value, str(key), hidden)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _secrets(value, name, hidden)
    elif hidden and isinstance(values, str) and len(values) >= SHORTEST_SECRET:
        yield values


def _forms(secret: str) -> Iterable[str]:
    escaped = secret.encode("unicode_escape").decode()
    return {secret, base64.b64encode(secret.encode()).decode(), escaped, escaped.replace('"', '\\"')}
