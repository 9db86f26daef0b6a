"""`python -m bootstrap.fetch_helm FOLDER`: the pinned Helm at FOLDER/bin/helm, or a reason why not (image builds)."""

from __future__ import annotations

import sys
from pathlib import Path

from bootstrap import helm_binary
from bootstrap.refusal import say, speak


def main() -> int:
    say(str(helm_binary.ensure(Path(sys.argv[1]), Path(sys.executable))))
    return 0


if __name__ == "__main__":
    sys.exit(speak(main))
