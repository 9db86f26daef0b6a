"""An operator's view: the simulated Azure as a process of its own, and who this process is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from deployments import outside
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory, valkey: object) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("cloud"), speed=5000) as process:
        yield process


@contextmanager
def acting(environ: Mapping[str, str]) -> Iterator[None]:
    """Inside, this process is the identity that the environment names."""
    before = dict(os.environ)
    os.environ.update(environ)
    _forget()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        _forget()


def _forget() -> None:
    for made in (outside.profile, outside.azure, outside.vault):
        made.cache_clear()
