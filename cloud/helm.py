"""Helm releases by the Helm 4 program: look, upgrade or install, roll back, uninstall. Never waits for workloads."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloud import helm_records
from cloud import kubeconfig as kubeconfigs
from cloud.errors import NotYet, Unavailable
from cloud.helm_charts import ChartCache
from cloud.helm_errors import HelmError, Mask, ValuesRefused, explain, progress_line
from cloud.helm_process import Listener, Run, checked_binary, environment, run
from cloud.kubernetes import connect

__all__ = ["Helm", "HelmError", "Release", "Revision", "ValuesRefused"]

LOOK_SECONDS = 60.0
CHANGE_SECONDS = 300.0
REVISIONS_KEPT = "5"


@dataclass(frozen=True, slots=True)
class Release:
    """An installed chart; status deployed, failed, pending-install, pending-upgrade, pending-rollback, uninstalling…"""

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    app_version: str
    updated: datetime | None

    @property
    def pending(self) -> bool:
        """Something began and has not ended: it is at work now, or was killed."""
        return self.status.startswith("pending-")


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of a release's history."""

    revision: int
    status: str
    chart: str
    description: str
    updated: datetime | None


class Helm:
    """Runs one Helm program with folders of its own; safe for threads and across forks.

    Changes of one release exclude one another on this machine even when the worker that began one is dead: Helm
    itself inherits the lock. `stuck_after` (seconds) is how old a pending state without a live Helm must be before it
    is taken for stuck, for the sake of Helms on other machines.
    """

    def __init__(self, binary: Path, work_dir: Path, *, stuck_after: float = 10.0) -> None:
        self._binary = Path(binary)
        self._home = Path(work_dir)
        self._stuck_after = stuck_after
        self._charts = ChartCache(self._home / "charts")

    def release(self, kubeconfig: bytes, name: str, namespace: str) -> Release | None:
        """The release as the cluster has it, or None."""
        found = helm_records.newest(connect(kubeconfig), name, namespace)
        return _release(found) if found else None

    def history(self, kubeconfig: bytes, name: str, namespace: str) -> list[Revision]:
        """What was done to the release, oldest first."""
        query = ["history", name, "--namespace", namespace, "--output", "json"]
        return [_revision(entry) for entry in self._read(kubeconfig, f"read the history of {name}", query) or []]

    def values(self, kubeconfig: bytes, name: str, namespace: str) -> dict[str, Any]:
        """The values of the newest revision, secrets included: compare them, and let them go."""
        found = helm_records.newest(connect(kubeconfig), name, namespace)
        return dict(found.get("config") or {}) if found else {}

    def upgrade_install(
        self,
        kubeconfig: bytes,
        name: str,
        namespace: str,
        chart: str,
        repository: str,
        version: str,
        values: Mapping[str, Any],
        ca_file: str | None = None,
        on_lines: Listener | None = None,
    ) -> Release:
        """Bring the release to this chart and these values, out of a stuck state if need be; returns at once after.

        Raises ValuesRefused (which names paths, never values), NotYet while another Helm is at work, HelmError else.
        """
        archive = self.chart(chart, repository, version, ca_file)
        what = f"install {chart} as {name}"
        order = ["upgrade", name, str(archive), "--install", "--namespace", namespace, "--values", "-"]
        order += ["--history-max", REVISIONS_KEPT, "--debug"]
        with self._alone(kubeconfig, name, namespace) as lock:
            self._unstick(kubeconfig, name, namespace, lock, on_lines)
            self._change(kubeconfig, what, order, lock, on_lines, values)
        done = self.release(kubeconfig, name, namespace)
        if done is None:
            raise Unavailable(f"We could not {what}: it is gone again.", "It is tried again by itself.")
        return done

    def rollback(
        self, kubeconfig: bytes, name: str, namespace: str, revision: int, on_lines: Listener | None = None
    ) -> None:
        """Go back to an earlier revision."""
        with self._alone(kubeconfig, name, namespace) as lock:
            self._rollback(kubeconfig, name, namespace, revision, lock, on_lines)

    def uninstall(self, kubeconfig: bytes, name: str, namespace: str, on_lines: Listener | None = None) -> None:
        """Begin to remove everything of the release; not there is fine. The namespace stays."""
        with self._alone(kubeconfig, name, namespace) as lock:
            self._uninstall(kubeconfig, name, namespace, lock, on_lines)

    def chart(self, chart: str, repository: str, version: str, ca_file: str | None = None) -> Path:
        """The chart's archive on this machine, fetched when it is not here yet."""

        def pull(arguments: Any) -> None:
            trusted = ["--ca-file", ca_file] if ca_file else []
            order = Run([*arguments, *trusted], environment(self._home, "none"), keep_output=False)
            done = run(checked_binary(self._binary), order, LOOK_SECONDS)
            if done.code != 0:
                raise explain(f"fetch the chart {chart} {version}", done.complaints, Mask())

        return self._charts.fetch(chart, repository, version, pull)

    def _unstick(self, kubeconfig: bytes, name: str, namespace: str, lock: int, on_lines: Listener | None) -> None:
        """Get a release that a killed Helm left behind to where an upgrade works."""
        found = self.release(kubeconfig, name, namespace)
        if found is None or not (found.pending or found.status == "uninstalling"):
            return None
        age = (datetime.now(UTC) - found.updated).total_seconds() if found.updated else self._stuck_after
        if age < self._stuck_after:
            wait = self._stuck_after - age
            raise NotYet("Helm may still be at work on this hub.", "It is tried again by itself.", delay=wait)
        if found.status == "uninstalling":
            return self._uninstall(kubeconfig, name, namespace, lock, on_lines)
        helm_records.mark_failed(connect(kubeconfig), name, namespace, found.revision)
        return None

    def _rollback(
        self, kubeconfig: bytes, name: str, namespace: str, revision: int, lock: int, on_lines: Listener | None
    ) -> None:
        order = ["rollback", name, str(revision), "--namespace", namespace, "--history-max", REVISIONS_KEPT, "--debug"]
        self._change(kubeconfig, f"roll {name} back to revision {revision}", order, lock, on_lines)

    def _uninstall(self, kubeconfig: bytes, name: str, namespace: str, lock: int, on_lines: Listener | None) -> None:
        order = ["uninstall", name, "--namespace", namespace, "--ignore-not-found", "--debug"]
        self._change(kubeconfig, f"uninstall {name}", order, lock, on_lines)

    def _change(
        self,
        kubeconfig: bytes,
        what: str,
        arguments: list[str],
        lock: int,
        on_lines: Listener | None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        mask = Mask(values)
        order = Run(
            arguments,
            self._environment(kubeconfig),
            kubeconfig,
            json.dumps(values).encode() if values is not None else b"",
            # `--debug` prints the values in clear to stdout: nobody may keep that.
            keep_output=False,
            held=(lock,),
        )
        done = run(checked_binary(self._binary), order, CHANGE_SECONDS, _reporter(on_lines, mask))
        if done.code != 0:
            raise explain(what, done.complaints, mask)

    def _read(self, kubeconfig: bytes, what: str, arguments: list[str]) -> Any:
        order = Run(arguments, self._environment(kubeconfig), kubeconfig)
        done = run(checked_binary(self._binary), order, LOOK_SECONDS)
        if done.code != 0:
            if "release: not found" in done.complaints:
                return None
            raise explain(what, done.complaints, Mask())
        try:
            return json.loads(done.output)
        except ValueError as exc:
            raise HelmError(f"We could not {what}: Helm's answer could not be read.", "Check Helm's version.") from exc

    def _environment(self, kubeconfig: bytes) -> dict[str, str]:
        return environment(self._home, _key(kubeconfigs.read(kubeconfig).server))

    @contextmanager
    def _alone(self, kubeconfig: bytes, name: str, namespace: str) -> Iterator[int]:
        """Hold the release's lock as an open descriptor; Helm inherits it, so it lasts as long as either lives."""
        folder = self._home / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / _key(kubeconfigs.read(kubeconfig).server, namespace, name)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise NotYet("Helm is still at work on this hub.", "It is tried again by itself.", delay=1.0) from exc


def _reporter(on_lines: Listener | None, mask: Mask) -> Listener | None:
    if on_lines is None:
        return None

    def report(lines: list[str]) -> None:
        told = [text for line in lines if (text := mask(progress_line(line)))]
        if told:
            on_lines(told)

    return report


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _release(note: Mapping[str, Any]) -> Release:
    about, chart = note["info"], note["chart"]["metadata"]
    return Release(
        name=note["name"],
        namespace=note["namespace"],
        revision=int(note["version"]),
        status=about["status"],
        chart=f"{chart['name']}-{chart['version']}",
        app_version=chart.get("appVersion", ""),
        updated=_moment(about.get("last_deployed", "")),
    )


def _revision(entry: Mapping[str, Any]) -> Revision:
    told, updated = entry.get("description", ""), _moment(entry.get("updated", ""))
    return Revision(int(entry["revision"]), entry["status"], entry["chart"], told, updated)


def _moment(text: str) -> datetime | None:
    """Go's own notation (`2026-01-02 03:04:05.678901234 +0000 UTC`) or RFC 3339."""
    parts = text.split()
    if len(parts) >= 3:
        text = f"{parts[0]}T{parts[1][:15]}{parts[2]}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
