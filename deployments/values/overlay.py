"""Expert values: YAML that a person lays over what Slipway renders. Pure.

The text is kept as typed, comments and all. Everything wrong with it is told with its line and column.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

LONGEST = 20_000  # characters
MOST_VALUES = 5_000  # with every alias written out
SUBCHART = "jupyterhub"

#: What Slipway itself must set: addresses, tokens and sign-ins that its other steps rely on, as dotted paths.
OWNED = (
    "imageBuilderType",
    "service",
    "registry",
    "config.BinderHub.auth_enabled",
    "config.BinderHub.base_url",
    "config.BinderHub.hub_url",
    "config.BinderHub.hub_url_local",
    "config.BinderHub.image_prefix",
    "config.BinderHub.use_registry",
    "config.DockerRegistry",
    "config.GitHubRepoProvider.access_token",
    "jupyterhub.hub.config.BinderSpawner.auth_enabled",
    "jupyterhub.hub.config.GitHubOAuthenticator",
    "jupyterhub.hub.config.JupyterHub.authenticator_class",
    "jupyterhub.hub.config.JupyterHub.default_url",
    "jupyterhub.hub.loadRoles.slipway-probe",
    "jupyterhub.hub.services.binder",
    "jupyterhub.hub.services.slipway-probe",
    "jupyterhub.proxy.https",
    "jupyterhub.proxy.secretToken",
    "jupyterhub.proxy.service",
    # A password typed here would be in the database and on pages.
    "jupyterhub.hub.cookieSecret",
    "jupyterhub.imagePullSecret",
)


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where: line and column count from 1 (0: nowhere in particular)."""

    line: int
    column: int
    what: str

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {self.what}" if self.line else self.what


@dataclass(frozen=True)
class ChartSchema:
    """The JSON schemas that come with a chart: of its own values, and of those of the JupyterHub chart inside it."""

    binderhub: Mapping[str, Any]
    jupyterhub: Mapping[str, Any]


def overlay_values(text: str) -> dict[str, Any]:
    """The overlay as plain values; one that cannot be read counts as empty (forms refuse it before)."""
    if not text.strip():
        return {}
    try:
        values = YAML(typ="safe").load(text)
    except (YAMLError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) and _size(values) <= MOST_VALUES else {}


def problems(text: str, schema: ChartSchema | None) -> list[Problem]:
    """Everything that is wrong with an overlay, in its order; the chart's rules only where its schema is known."""
    if not text.strip():
        return []
    if len(text) > LONGEST:
        return [Problem(0, 0, f"This is longer than {LONGEST} characters.")]
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        return [_unreadable(error)]
    except (YAMLError, ValueError, RecursionError):
        return [Problem(0, 0, "This is not YAML that can be read.")]
    if tree is None:
        return []  # comments only
    if _size(tree) > MOST_VALUES:
        return [Problem(0, 0, f"With every alias written out these are more than {MOST_VALUES} values.")]
    if not isinstance(tree, CommentedMap):
        return [Problem(1, 1, "Values are names with a colon after them, like “jupyterhub:”.")]
    # One sentence a place is enough; ours come first.
    found = {(problem.line, problem.column): problem for problem in [*_against_chart(tree, schema), *_owned(tree)]}
    return [found[place] for place in sorted(found)]


def _size(node: Any, known: dict[int, int] | None = None) -> int:
    """How many values there are once every alias is written out; counted without writing any of them out."""
    known = {} if known is None else known
    if not isinstance(node, Mapping | list):
        return 1
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1  # what holds itself is too many
        inside = node.values() if isinstance(node, Mapping) else node
        known[id(node)] = 1 + sum(_size(each, known) for each in inside)
    return known[id(node)]


def _unreadable(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = " ".join((error.problem or "this cannot be read").split())
    if "found character '\\t'" in what:
        what = "use spaces for indentation, not tabs"
    return Problem(mark.line + 1, mark.column + 1, f"{what}.") if mark else Problem(0, 0, f"{what}.")


def _owned(tree: CommentedMap) -> Iterator[Problem]:
    for path in OWNED:
        keys = path.split(".")
        node: Any = tree
        for depth, key in enumerate(keys):
            if not isinstance(node, CommentedMap) or key not in node:
                break
            line, column = node.lc.key(key)
            here = ".".join(keys[: depth + 1])
            if here == path:
                yield Problem(line + 1, column + 1, f"{path} is set by Slipway itself and cannot be changed here.")
            elif not isinstance(node[key], CommentedMap):
                # Replaced by something else, it would take our keys with it.
                yield Problem(line + 1, column + 1, f"{here} needs names with values under it: Slipway sets some.")
                break
            node = node[key]


def _against_chart(tree: CommentedMap, schema: ChartSchema | None) -> Iterator[Problem]:
    if schema is None:
        return
    yield from _validated(tree, tree, schema.binderhub, ())
    inner = tree.get(SUBCHART)
    if isinstance(inner, CommentedMap):
        yield from _validated(tree, inner, schema.jupyterhub, (SUBCHART,))


def _validated(
    tree: CommentedMap, part: CommentedMap, schema: Mapping[str, Any], prefix: tuple[str, ...]
) -> Iterator[Problem]:
    # What is missing from an overlay comes from below it.
    for error in Draft7Validator(schema).iter_errors(_plain(part)):
        if error.validator in ("required", "minProperties"):
            continue
        path = [*prefix, *error.absolute_path]
        for key in _unknown_keys(error) or [""]:
            line, column = _place(tree, [*path, key] if key else path)
            yield Problem(line, column, _sentence(error, path, key))


def _unknown_keys(error: ValidationError) -> list[str]:
    if error.validator != "additionalProperties" or not isinstance(error.instance, Mapping):
        return []
    known = set(error.schema.get("properties", {}))
    return [key for key in error.instance if key not in known]


def _sentence(error: ValidationError, path: Sequence[Any], key: str) -> str:
    where = ".".join(str(part) for part in [*path, *([key] if key else [])]) or "the values"
    if key:
        near = difflib.get_close_matches(key, error.schema.get("properties", {}), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"The chart does not know {where}.{hint}"
    if error.validator == "type":
        kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        return f"{where} must be {' or '.join(_KINDS.get(kind, str(kind)) for kind in kinds)}."
    if error.validator == "enum":
        return f"{where} must be one of {', '.join(str(value) for value in error.validator_value)}."
    return f"{where} is not as the chart wants it ({error.validator})."


_KINDS = {
    "object": "names with values under it",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}


def _place(tree: Any, path: Sequence[Any]) -> tuple[int, int]:
    """Line and column (from 1) of the deepest part of the path that is there."""
    line, column, node = 0, 0, tree
    for key in path:
        if isinstance(node, CommentedMap) and key in node:
            line, column = node.lc.key(key)
        elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
            line, column = node.lc.item(key)
        else:
            break
        node = node[key]
    return line + 1, column + 1


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return node


def as_yaml(values: Mapping[str, Any]) -> str:
    """Values as YAML, in the same shape everywhere."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    out = StringIO()
    yaml.dump(dict(values), out)
    return out.getvalue()


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changes from one tree of values to the other, as the lines of a unified diff; empty when nothing does."""
    now, then = (as_yaml(values).splitlines() for values in (before, after))
    return list(difflib.unified_diff(now, then, "now", "then", lineterm="", n=3))
