"""The stand-in chart as the archives a chart repository hands out, made in memory without Helm.

Archives are the same byte for byte at every start, so a digest once seen stays true.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import yaml

SOURCE = Path(__file__).parent / "binderhub"
UNPACKAGED = "0.0.0-unpackaged"


@dataclass(frozen=True)
class Release:
    """One published version of the chart, with the versions of what is inside."""

    version: str
    jupyterhub_chart: str
    jupyterhub: str
    created: str

    @property
    def filename(self) -> str:
        return f"binderhub-{self.version}.tgz"


def _content_mark() -> str:
    """Changes with the chart, so that a copy kept from before an upgrade of Slipway is never taken for this one."""
    digest = hashlib.sha256()
    for path in sorted(file for file in SOURCE.rglob("*") if file.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(SOURCE).as_posix()} {len(content)}\n".encode() + content)
    return f"sandbox.{digest.hexdigest()[:8]}"


#: The version of the real chart that is stood in for first.
REAL_VERSION = "1.0.0-0.dev.git.3958.haf9ca8b1"
#: Newest first, as a repository's index lists them. Real versions, dates and dependencies, each with our own mark.
RELEASES = (
    Release(f"{REAL_VERSION}+{_content_mark()}", "4.2.0", "5.3.0", "2025-09-08T09:12:41Z"),
    Release(f"1.0.0-0.dev.git.3673.h040c9bbe+{_content_mark()}", "4.0.0", "5.2.1", "2024-11-18T13:20:05Z"),
)
#: What a hub gets unless told otherwise.
VERSION = RELEASES[0].version


def archive(release: Release) -> bytes:
    """The chart's .tgz, as `helm package` would lay it out."""
    tar_bytes = io.BytesIO()
    with tarfile.open(fileobj=tar_bytes, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(file for file in SOURCE.rglob("*") if file.is_file()):
            relative = path.relative_to(SOURCE)
            content = _stamped(path, release)
            entry = tarfile.TarInfo(f"binderhub/{relative.as_posix()}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(tar_bytes.getvalue(), mtime=0)


def index(archives: dict[str, bytes]) -> bytes:
    """The repository's index.yaml for archives by file name."""
    entries = [_entry(release, archives[release.filename]) for release in RELEASES]
    document = {"apiVersion": "v1", "entries": {"binderhub": entries}, "generated": RELEASES[0].created}
    return yaml.safe_dump(document, sort_keys=False).encode()


def _stamped(path: Path, release: Release) -> bytes:
    """The file's content, with the versions put into a Chart.yaml."""
    if path.name != "Chart.yaml":
        return path.read_bytes()
    metadata = yaml.safe_load(path.read_text())
    if metadata["name"] == "jupyterhub":
        metadata |= {"version": release.jupyterhub_chart, "appVersion": release.jupyterhub}
    else:
        metadata |= {"version": release.version, "appVersion": release.version}
        metadata["dependencies"][0]["version"] = release.jupyterhub_chart
    return yaml.safe_dump(metadata, sort_keys=False).encode()


def _entry(release: Release, archived: bytes) -> dict[str, object]:
    metadata = yaml.safe_load(_stamped(SOURCE / "Chart.yaml", release))
    return metadata | {
        "created": release.created,
        "digest": hashlib.sha256(archived).hexdigest(),
        "urls": [release.filename],
    }
