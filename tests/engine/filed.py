"""A step whose world is a folder, so that several processes share it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from worker.context import Context
from worker.step import Found, Step


class Filed(Step[Context]):
    """Makes one file for each operation; can be held on either side of its write."""

    def __init__(self, name: str, folder: Path, after: tuple[str, ...] = (), seconds: float = 0.0) -> None:
        self.name, self.title, self.after = name, f"Make {name}", tuple(after)
        self.folder, self.seconds = folder, seconds

    def check(self, ctx: Context) -> Found:
        return Found.ready("there") if self._made(ctx).exists() else Found.absent()

    def apply(self, ctx: Context) -> None:
        ctx.intend("file", str(self._made(ctx)), self.name)
        self._wait("before")
        try:
            with self._made(ctx).open("a") as file:
                file.write(f"{os.getpid()}\n")
        except OSError:
            if not self._made(ctx).stat().st_size:
                self._made(ctx).unlink()  # a disk without room leaves an empty file
            raise
        self._wait("after")
        ctx.log(f"{self.name} was made by {os.getpid()}")

    def _made(self, ctx: Context) -> Path:
        return self.folder / f"{ctx.operation.id}.{self.name}.made"

    def _wait(self, side: str) -> None:
        hold = self.folder / f"{self.name}.hold"
        while hold.exists() and hold.read_text() == side:
            (self.folder / f"{self.name}.held").write_text(side)
            time.sleep(0.01)
