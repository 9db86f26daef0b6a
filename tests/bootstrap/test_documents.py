"""The documents name every setting and every dependency."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from uuid import uuid4

from django.urls import resolve

from bootstrap.machine import ROOT
from deployments.forms import SpecForm, TearDownForm
from deployments.forms.running import ExtendForm, TryForm
from worker.plans import PLANS

PACKAGES = ("portal", "accounts", "deployments", "worker", "cloud", "sandbox", "bootstrap")
#: Calls that read a setting when their first argument is its name, by whose methods they are.
READERS = re.compile(r"(env|environment)\.(text|flag|items)|[\w.]*environ\.(get|pop|setdefault)")
SETTING = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|PORT")
#: Told by the system, make, or Django itself.
NOT_OURS = {"MAKELEVEL", "DJANGO_SETTINGS_MODULE"}


def _settings_read(path: Path) -> set[str]:
    """Names in capitals that the file takes from the environment, `_FILE` left off."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        asked: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args and READERS.fullmatch(ast.unparse(node.func)):
            asked = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            asked = node.slice
        if isinstance(asked, ast.Constant) and SETTING.fullmatch(str(asked.value)):
            found.add(str(asked.value))
    return found


def test_every_setting_the_code_reads_is_in_operating_md() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    read = {name for package in PACKAGES for path in (ROOT / package).rglob("*.py") for name in _settings_read(path)}
    assert len(read) > 20
    assert {name for name in read - NOT_OURS if not _documented(name, text)} == set()


def _documented(name: str, text: str) -> bool:
    return f"`{name}`" in text or f"`{name.removesuffix('_FILE')}`" in text


def test_every_direct_dependency_has_its_line_and_nothing_else_has() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text().partition("## Programs")[0]
    told = set(re.findall(r"^\| ([A-Za-z][\w.-]*) \|", text, re.MULTILINE)) - {"package"}
    required = set()
    for path in ROOT.glob("requirements*.txt"):
        required |= set(re.findall(r"^([A-Za-z][\w.-]*)(?:\[\w+\])?==", path.read_text(), re.MULTILINE))
    assert told == required


def test_every_direct_dependency_is_pinned() -> None:
    for path in ROOT.glob("requirements*.txt"):
        for line in path.read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or "==" in line, f"{path.name}: {line}"


def _refusals() -> list[list[str]]:
    """The rows of docs/sandbox.md: what is refused, the answer, the source, the test."""
    lines = (ROOT / "docs" / "sandbox.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
    return [row for row in rows if row[0] != "what is refused"]


def test_every_refusal_has_an_answer_a_source_and_a_test() -> None:
    rows = _refusals()
    assert len(rows) > 100
    assert [row for row in rows if len(row) != 4 or not all(row) or ".py::test_" not in row[-1]] == []


def _tests_named(document: str) -> set[tuple[str, str]]:
    text = (ROOT / "docs" / document).read_text()
    return set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", text))


def _tests_in(folder: Path) -> set[tuple[str, str]]:
    """(file, name) of every test below the folder."""
    return {
        (str(path.relative_to(folder)), node.name)
        for path in folder.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }


def test_every_test_that_sandbox_md_names_exists() -> None:
    assert _tests_named("sandbox.md") - _tests_in(ROOT / "tests" / "sandbox") == set()


def test_every_source_that_sandbox_md_names_has_its_address() -> None:
    text = re.sub(r"`[^`]*`", "", (ROOT / "docs" / "sandbox.md").read_text())
    told = set(re.findall(r"^\[([^\]]+)\]: https://\S+$", text, re.MULTILINE))
    cited = {name for row in _refusals() for name in re.findall(r"\[([^\]]+)\](?!\()", row[2])}
    assert cited == told


# --- the workshop, step by step ------------------------------------------------------------------------------------


#: The forms whose fields docs/workshop.md names.
FORMS = (SpecForm, TearDownForm, ExtendForm, TryForm)


def _steps() -> list[list[str]]:
    """The rows of docs/workshop.md: number, by hand, what Slipway does, where, test."""
    lines = (ROOT / "docs" / "workshop.md").read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if re.match(r"\| \d+ \|", line)]


def _places(pattern: str) -> set[str]:
    return {name for row in _steps() for name in re.findall(pattern, row[3])}


def test_every_step_of_the_workshop_has_its_place_and_its_test() -> None:
    rows = _steps()
    assert [int(row[0]) for row in rows] == list(range(1, 26))
    assert [row for row in rows if len(row) != 5 or not all(row) or ".py::test_" not in row[4]] == []
    assert [row[0] for row in rows if not re.search(r"`/|“|^nowhere", row[3])] == []


def test_every_test_that_workshop_md_names_exists() -> None:
    assert _tests_named("workshop.md") - _tests_in(ROOT / "tests") == set()


def test_every_page_that_workshop_md_names_is_there() -> None:
    pages = set(re.findall(r"`(/[^`]*)`", (ROOT / "docs" / "workshop.md").read_text()))
    assert len(pages) > 10
    for page in pages:
        resolve(page.replace("<hub>", str(uuid4())))  # raises Resolver404


def test_every_field_that_workshop_md_names_is_in_a_form() -> None:
    fields = [field for form in FORMS for field in form.base_fields.values()]
    labels = {str(field.label) for field in fields}
    labels |= {str(label) for field in fields for _, label in getattr(field, "choices", ())}
    named = _places(r"(?<!\*)\*([^*]+)\*(?!\*)")
    assert len(named) > 30 and named - labels == set()


def test_every_word_that_workshop_md_quotes_from_a_page_is_on_one() -> None:
    pages = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    named = _places(r"\*\*([^*]+)\*\*")
    assert len(named) > 15
    assert {words for words in named if not any(words in page for page in pages)} == set()


def test_every_step_that_workshop_md_quotes_is_in_a_plan() -> None:
    titles = {step.title for plan in PLANS.values() for step in plan}
    named = _places(r"“([^”]+)”")
    assert len(named) > 10 and named - titles == set()
