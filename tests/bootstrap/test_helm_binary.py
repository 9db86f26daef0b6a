"""No Helm runs that is not the pinned one."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from bootstrap import helm_binary
from bootstrap.refusal import Refusal


@pytest.fixture(autouse=True)
def _no_chosen_helm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELM_BINARY", raising=False)


def test_a_helm_in_place_with_another_sha256_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "helm").write_bytes(b"not helm")
    with pytest.raises(Refusal, match="SHA-256 differs"):
        helm_binary.ensure(tmp_path, Path(sys.executable))


def test_a_chosen_helm_with_another_sha256_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (chosen := tmp_path / "helm").write_bytes(b"not helm")
    monkeypatch.setenv("HELM_BINARY", str(chosen))
    with pytest.raises(Refusal, match="SHA-256 differs"):
        helm_binary.ensure(tmp_path, Path(sys.executable))


def test_what_was_fetched_with_another_sha256_is_thrown_away(tmp_path: Path) -> None:
    with (
        pytest.raises(Refusal, match="another SHA-256"),
        helm_binary.verified(tmp_path / "helm") as write,
    ):
        write(io.BytesIO(b"something else"))
    assert list(tmp_path.iterdir()) == []


def test_a_fetch_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), helm_binary.verified(tmp_path / "helm"):
        raise ConnectionError
    assert list(tmp_path.iterdir()) == []
