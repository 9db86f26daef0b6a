"""Charts kept on disk by repository and version: two hundred hubs fetch one once."""

import fcntl
import gzip
import hashlib
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from cloud.errors import InvalidRequest, Unavailable

Pull = Callable[[Sequence[str]], None]


class ChartCache:
    """Chart archives in one folder; safe for many threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, chart: str, repository: str, version: str, pull: Pull) -> Path:
        """The archive, whole; `pull` is called with Helm's arguments only when it is not here yet."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", version) or not re.fullmatch(r"[a-z0-9-]+", chart):
            raise InvalidRequest(f"“{chart} {version}” is no chart version.", "Choose one that the repository lists.")
        folder = self._folder / hashlib.sha256(repository.encode()).hexdigest()[:16]
        archive = folder / f"{chart}-{version}.tgz"
        if is_whole(archive, chart):
            return archive
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / ".lock"):
            if not is_whole(archive, chart):
                self._fetch(chart, repository, version, pull, archive)
        return archive

    def _fetch(self, chart: str, repository: str, version: str, pull: Pull, archive: Path) -> None:
        fresh = Path(tempfile.mkdtemp(dir=archive.parent, prefix=".fetch-"))
        try:
            pull(["pull", chart, "--repo", repository, "--version", version, "--destination", str(fresh)])
            found = next(fresh.glob("*.tgz"), None)
            if found is None or not is_whole(found, chart):
                raise Unavailable(
                    f"The chart {chart} {version} did not arrive whole.", "It is fetched again by itself."
                )
            found.replace(archive)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def is_whole(archive: Path, chart: str) -> bool:
    """Whether an archive unpacks to its very end (checksum included) and holds the chart."""
    try:
        found = archive.stat()
    except OSError:
        return False
    return _is_whole(archive, chart, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=64)
def _is_whole(archive: Path, chart: str, _written: int, _size: int) -> bool:
    """Unpacked once for each time that the file was written."""
    try:
        with gzip.open(archive) as content:
            while content.read(1 << 20):
                pass
        with tarfile.open(archive) as files:
            return files.getmember(f"{chart}/Chart.yaml").isfile()
    except (OSError, EOFError, tarfile.TarError, KeyError, ValueError):
        return False


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock between threads and processes; the kernel gives it up with whoever holds it."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
