"""The project's own `.venv`, filled with the pinned packages and refilled only when the pins change."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bootstrap import machine
from bootstrap.machine import ROOT
from bootstrap.refusal import Refusal, say

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
#: A set of requirements, and the sets that hold everything of it.
SETS = {"embedded": ("embedded", "test"), "test": ("test",)}
NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|Network is unreachable|name resolution|Connection refused"
    r"|Read timed out|No matching distribution|Could not fetch URL|ProxyError",
    re.IGNORECASE,
)


def ensure(wanted: str) -> Path:
    """Makes `.venv` hold the requirements of the set (`embedded` or `test`); returns its Python."""
    machine.require_python()
    if any(_stamp(name).exists() and _stamp(name).read_text() == _digest(name) for name in SETS[wanted]):
        return PYTHON
    machine.require_disk(VENV, 900)
    if not PYTHON.exists():
        say("Making .venv …")
        _make()
    _install(wanted)
    _stamp(wanted).write_text(_digest(wanted))
    return PYTHON


def _make() -> None:
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if made.returncode:
        raise Refusal(
            "Python could not make the virtual environment .venv. On Debian or Ubuntu run: "
            f"sudo apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        )


def _stamp(name: str) -> Path:
    return VENV / f"slipway-{name}.sha256"


def _digest(name: str) -> str:
    """Changes with any requirements file, the constraints or the Python that the environment was made by."""
    digest = hashlib.sha256(f"{name} {sys.version_info[:2]}".encode())
    for path in [*sorted(ROOT.glob("requirements*.txt")), ROOT / "constraints.txt"]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _install(wanted: str) -> None:
    log = ROOT / "var" / "log" / "install.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *(str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"),
        *("--retries", "2", "-r", str(ROOT / f"requirements-{wanted}.txt"), "-c", str(ROOT / "constraints.txt")),
    ]
    say("Installing the pinned packages (once; a minute or two) …")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    assert process.stdout is not None
    with log.open("w") as file:
        text = "".join(_with_progress(process.stdout, file.write))
    if process.wait():
        raise Refusal(_why(text, log))


def _with_progress(lines: Iterable[str], keep: object) -> Iterable[str]:
    """Passes pip's lines on, and shows how many packages were collected: pip itself prints too much or nothing."""
    seen = 0
    for line in lines:
        keep(line)  # type: ignore[operator]
        if line.startswith("Collecting "):
            seen += 1
            _progress(seen, line.split()[1])
        elif line.startswith("Installing collected"):
            say(f"{_clear()}  {seen} packages fetched; unpacking …")
        yield line


def _progress(seen: int, package: str) -> None:
    if sys.stdout.isatty():
        sys.stdout.write(f"{_clear()}  {seen} packages: {package[:50]}")
        sys.stdout.flush()
    elif seen % 20 == 0:
        say(f"  {seen} packages …")


def _clear() -> str:
    return "\r\x1b[K" if sys.stdout.isatty() else ""


def _why(text: str, log: Path) -> str:
    if "No space left on device" in text:
        return "The disk is full: the packages could not be installed. Make some room, then run this again."
    if NO_NETWORK.search(text):
        return f"The Python package index could not be reached; check the network, then run this again (log: {log})."
    return f"pip could not install the packages; its words are in {log}."
